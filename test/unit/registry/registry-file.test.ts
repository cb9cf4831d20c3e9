import { describe, expect, test } from 'vitest'
import { yamlLines } from '../../../src/cli/output/yaml.js'
import { prettyJson } from '../../../src/cli/terminal/visible.js'
import { readerOf } from '../../../src/domain/layouts/reader.js'
import type { EndpointEntry } from '../../../src/domain/registry-file.js'
import { entriesOf } from '../../../src/registry/file/entries.js'
import { endpointsOfFile, statedKeys } from '../../../src/registry/file/keys.js'
import { readRegistryFile } from '../../../src/registry/file/read.js'
import { ALL_EXAMPLES } from '../../support/vectors.js'

const HEAD = { schema: 'disco.registry/v1', rev: '7', root: '', selection: null }

const asYaml = (document: object) => `${[...yamlLines(document)].join('\n')}\n`

/** The entries of one stored key; none for what is not a registration. */
function exported(key: string, value: string | Buffer, root = ''): EndpointEntry[] {
  const kv = { key, value: Buffer.from(value), lease: null, createRevision: 1, modRevision: 2 }
  const found = readerOf({ layout: 'auto', root }).read(key, kv.value)
  if (found?.decoded.kind !== 'endpoints') return []
  return entriesOf({ kv, layout: found.layout, records: found.decoded.records }, new Map())
}

describe.each(ALL_EXAMPLES)('$id $key $value', ({ key, value }) => {
  test.each([
    ['YAML', asYaml],
    ['JSON', prettyJson],
  ])('exported as %s and read back: the same key, the same bytes', (_, format) => {
    for (const root of ['', '/prod/']) {
      const stored = root === '' ? key : root + key.replace(/^\/+/, '')
      const endpoints = exported(stored, value, root)
      if (endpoints.length === 0) continue
      const file = readRegistryFile(format({ ...HEAD, root, endpoints }), 'f')
      const stated = statedKeys(file).map((one) => ({
        key: one.key,
        value: Buffer.from(one.value).toString(),
      }))
      expect(stated).toEqual([{ key: stored, value }])
      const moved = statedKeys(file, '/other/')
      expect(moved.map((one) => one.key)).toEqual([`/other/${key.replace(/^\/+/, '')}`])
    }
  })
})

test('most examples are exported by their fields only, without the raw value', () => {
  const all = ALL_EXAMPLES.flatMap(({ key, value }) => exported(key, value).slice(0, 1))
  const whole = all.filter((entry) => entry.value === undefined)
  expect(all.length).toBeGreaterThan(30)
  expect(whole.length / all.length).toBeGreaterThan(0.5)
})

test('unknown fields, their order, their spelling and trailing bytes are kept, and the weight can be edited', () => {
  const stored =
    '{ "addr":"1.2.3.4:1","name":"hello","zone":"b\\u003c","version":"","weight": 1e1,"big":9007199254740993}\n '
  const [entry, ...others] = exported('/hello/1.2.3.4:1', stored)
  expect(others).toEqual([])
  expect(entry).toMatchObject({ weight: 10, value: stored })
  const at = (weight: number) => {
    const file = readRegistryFile(asYaml({ ...HEAD, endpoints: [{ ...entry, weight }] }), 'f')
    return Buffer.from(statedKeys(file)[0]?.value ?? []).toString()
  }
  expect(at(10)).toBe(stored)
  expect(at(5)).toBe(stored.replace('1e1', '5'))
})

test('bytes that are not UTF-8 are kept', () => {
  const value = Buffer.from(
    '{"name":"hello","addr":"1.2.3.4:1","version":"","weight":1,"x":"\xff"}',
    'latin1',
  )
  const endpoints = exported('/hello/1.2.3.4:1', value)
  expect(endpoints[0]?.valueBase64).toBe(value.toString('base64'))
  const [stated] = statedKeys(readRegistryFile(asYaml({ ...HEAD, endpoints }), 'f'))
  expect(stated && Buffer.from(stated.value).equals(value)).toBe(true)
})

test('a file written by hand needs a service and an address', () => {
  const text = 'schema: disco.registry/v1\nendpoints:\n- {service: hello, addr: "1.2.3.4:1"}\n'
  const file = readRegistryFile(text, 'f')
  expect(statedKeys(file)).toMatchObject([{ key: '/hello/1.2.3.4:1', leased: true, isExact: false }])
  expect(endpointsOfFile(file)).toMatchObject([{ service: 'hello', weight: 1, layout: 'seed', lease: null }])
})

const entry = (fields: string) =>
  `schema: disco.registry/v1\nendpoints:\n  - service: hello\n    addr: "1.2.3.4:1"\n    ${fields}\n`

test.each([
  ['', 'f:1:1: the file is empty'],
  ['# nothing\n', 'f:1:1: the file is empty'],
  ['schema: disco.registry/v1\nendpoints: []\n', 'f:2:12: the file has no endpoint'],
  ['schema: disco.registry/v1\n', 'f:1:1: endpoints must be a list of endpoints'],
  ['endpoints: []\n', 'f:1:1: the file needs "schema: disco.registry/v1"'],
  ['schema: disco.registry/v2\nendpoints: []\n', 'f:1:9: the file needs "schema: disco.registry/v1"'],
  ['schema: disco.registry/v1\nendpoint: []\n', 'f:2:1: unknown key "endpoint"'],
  ['just text', 'f:1:1: the file must be a map of keys and values'],
  [entry('wieght: 1'), 'f:5:5: unknown key "wieght"'],
  [entry('weight: -1'), 'f:5:13: weight must be a number of 0 or more'],
  [entry('weight: "1"'), 'f:5:13: weight must be a number of 0 or more'],
  [entry('weight: .inf'), 'f:5:13: weight must be a number of 0 or more'],
  [entry('weight: 9007199254740993'), 'f:5:13: weight must be a number of 0 or more'],
  [entry('weight: 1.5'), 'f:3:5: The layout seed cannot write this: weight 1.5 is not an integer >= 0'],
  [entry('version: 1.0'), 'f:5:14: version must be a text: put it in quotes'],
  [entry('version: "a/b"'), 'f:3:5: The version "a/b" contains "/"'],
  [entry('metadata: [a]'), 'f:5:15: metadata must be a map of texts'],
  [entry('metadata: {a: 1}'), 'f:5:19: a must be a text: put it in quotes'],
  [entry('leased: 1'), 'f:5:13: leased must be true or false'],
  [entry('layout: sed'), 'Unknown layout "sed" from f:5:13'],
  [entry('layout: etcd\n    weight: 1'), 'f:3:5: The layout etcd carries no weight'],
  [entry('layout: kitex\n    version: "1"'), 'f:3:5: The layout kitex has no place for a version'],
  [entry('layout: go-kit\n    metadata: {a: b}'), 'f:3:5: the layout go-kit cannot carry this metadata'],
  [entry('layout: kratos'), 'f:3:5: The layout kratos needs an id'],
  [
    entry('key: /hello/1.2.3.4:2'),
    'f:3:5: key is /hello/1.2.3.4:2, but the other fields give /hello/1.2.3.4:1',
  ],
  [entry('key: /hello/1.2.3.4:1\n    value: "{}"'), 'f:3:5: /hello/1.2.3.4:1: value names /'],
  [entry('value: "{}"'), 'f:3:5: value needs key: give both, or leave value out'],
  [entry('valueBase64: "%"'), 'f:5:18: valueBase64 is not base64'],
  [entry('grantedTtlSeconds: 0'), 'f:5:24: grantedTtlSeconds must be a whole number above 0'],
  [
    `${entry('weight: 1')}  - service: hello\n    addr: "1.2.3.4:1"\n`,
    'f:6:5: /hello/1.2.3.4:1 is given twice: also at 3:5',
  ],
  [entry('\tweight: 1'), 'f:5:'],
  [`${entry('weight: 1')}---\nschema: x\n`, 'the file holds several documents'],
  [entry('weight: &a 1\n    id: *a'), 'an alias (*) is not supported'],
  [entry('weight: 1\n    weight: 2'), 'the key is repeated'],
  [`a: &a [x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\n`, 'an alias (*) is not supported'],
  ['['.repeat(20_000), 'f:1:'],
  [`{"schema":"disco.registry/v1",\n "schema":""}`, 'f:2:2: the key is repeated'],
  [`{"schema":"disco.registry/v1",\n "endpoints":[{"service":"a","addr":1}]}`, 'f:2:37: addr must be a text'],
  [`{"schema":"disco.registry/v1",\n "endpoints":[{"service":"a","addr":"b"}`, 'f:'],
])('%j is refused with its place', (text, message) => {
  expect(() => statedKeys(readRegistryFile(text, 'f'))).toThrow(message)
})
