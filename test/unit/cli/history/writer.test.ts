import { expect, test } from 'vitest'
import { parse } from 'yaml'
import type { ChangeDoc, HistoryHead } from '../../../../src/cli/history/document.js'
import { HistoryRows } from '../../../../src/cli/history/rows.js'
import { historyWriter } from '../../../../src/cli/history/writer.js'
import { JSON_WRITER } from '../../../../src/cli/output/document-writer.js'
import { YAML_WRITER } from '../../../../src/cli/output/yaml.js'
import { uncolored } from '../../../../src/cli/terminal/color.js'

const HEAD: HistoryHead = { schema: 'disco.history/v1', service: null, since: '1', rev: '9' }
const TAIL = { compacted: '3', interrupted: false }

function change(rev: number, addr: string): ChangeDoc {
  const time = { after: null, before: null }
  const of = {
    schema: 'disco.change/v1',
    service: 's',
    key: `/s/${addr}`,
    version: '',
    layout: 'seed',
  } as const
  return { ...of, type: 'added', rev: String(rev), time, addr, lease: null, weight: 1, problem: null }
}

const CHANGES = [change(4, 'a:1'), change(5, 'b:2\u007f'), change(6, 'a:1')]

/** What is written, with the changes in two parts. */
function written(
  format: 'json' | 'ndjson' | 'name' | 'table' | 'yaml',
  changes = CHANGES,
  tail: object = {},
): string {
  const output =
    format === 'yaml' ? { format: 'json' as const, writer: YAML_WRITER } : { format, writer: JSON_WRITER }
  let text = ''
  const rows = new HistoryRows(uncolored, { withService: false, wide: false, now: new Date(0) })
  const out = (line: string) => {
    text += `${line}\n`
  }
  const writer = historyWriter(output, HEAD, rows, { out, outText: out })
  writer.add(changes.slice(0, 1))
  writer.add([])
  writer.add(changes.slice(1))
  writer.end({ ...TAIL, ...tail })
  return text
}

test.each([[CHANGES], [CHANGES.slice(0, 1)], [[]]])(
  'the JSON document equals the output of JSON.stringify',
  (changes) => {
    const whole = JSON.stringify({ ...HEAD, changes, ...TAIL }, null, 2).replaceAll('\u007f', '\\u007f')
    expect(written('json', changes)).toBe(`${whole}\n`)
  },
)

test.each([[CHANGES], [CHANGES.slice(0, 1)], [[]]])(
  'the YAML document is parsed back as the same data',
  (changes) => {
    expect(parse(written('yaml', changes))).toEqual({ ...HEAD, changes, ...TAIL })
  },
)

test('a JSON document is complete if the history ends with an error', () => {
  const error = { code: 'ETCD_UNREACHABLE', message: 'm', hint: '', exit: 3 }
  expect(JSON.parse(written('json', CHANGES, { error }))).toEqual({
    ...HEAD,
    changes: CHANGES,
    ...TAIL,
    error,
  })
})

test('NDJSON has a line per change, names each address once, and a table without changes is empty', () => {
  expect(
    written('ndjson')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(CHANGES)
  expect(written('name')).toBe('a:1\nb:2\\u007f\n')
  expect(written('table', [])).toBe('')
})
