import { describe, expect, it, test } from 'vitest'
import type { ChangeDoc } from '../../../../src/cli/history/document.js'
import { HistoryRows } from '../../../../src/cli/history/rows.js'
import { timeText } from '../../../../src/cli/history/time.js'
import { uncolored } from '../../../../src/cli/terminal/color.js'
import { plainOf } from '../../../support/palettes.js'

const NOW = new Date(2026, 10, 27, 12, 0)

const at = (hours: number, minutes: number, seconds = 0, day = 27) =>
  new Date(2026, 10, day, hours, minutes, seconds).toISOString()

describe('the time column of a change', () => {
  it.each([
    ['two bounds', at(11, 2), at(11, 7), '11:02–11:07'],
    ['no narrower than known, to the minute', at(11, 2, 59), at(11, 6, 1), '11:02–11:07'],
    ['within a minute', at(11, 2, 10), at(11, 2, 20), '11:02–11:03'],
    ['the day before', at(23, 50, 0, 26), at(23, 55, 0, 26), '2026-11-26 23:50–23:55'],
    ['over midnight', at(23, 50, 0, 26), at(0, 5), '2026-11-26 23:50–00:05'],
    ['over two midnights', at(23, 50, 0, 24), at(0, 5, 0, 26), '2026-11-24 23:50–2026-11-26 00:05'],
    ['a beginning', at(11, 7), null, 'after 11:07'],
    ['an end', null, at(11, 2), 'before 11:02'],
    ['none', null, null, 'unknown'],
  ])('%s', (_, after, before, expected) => {
    expect(timeText({ time: { after, before } }, NOW)).toBe(expected)
  })
})

const OF = {
  schema: 'disco.change/v1',
  rev: '7',
  time: { after: null, before: at(11, 2) },
  service: 'hello',
  key: '/hello/1.0.0/a:1',
  addr: 'a:1',
  version: '1.0.0',
  layout: 'seed',
  lease: '1eeea1fb579bfc07',
} as const

const CHANGES: readonly ChangeDoc[] = [
  { ...OF, type: 'added', weight: 1, problem: null },
  { ...OF, type: 'weight', from: 1, to: 5 },
  {
    ...OF,
    type: 'updated',
    weight: 5,
    problem: null,
    fields: [
      { field: 'metadata.zone', from: 'a', to: null },
      { field: 'port', from: 1, to: 2 },
      { field: 'lease', from: null, to: OF.lease },
    ],
  },
  { ...OF, type: 'updated', weight: 5, problem: null, fields: [] },
  { ...OF, type: 'gone', weight: 5, reason: 'unknown', layout: 'kratos', lease: null },
]

function rowsOf(withService: boolean, wide = false): HistoryRows {
  return new HistoryRows(uncolored, { withService, wide, now: NOW })
}

test('each type of change has its own row text', () => {
  expect(rowsOf(false).lines(CHANGES)).toEqual([
    'REV  TIME          CHANGE     ADDRESS  VERSION  WHAT                                                    LEASE',
    '  7  before 11:02  + added    a:1      1.0.0    weight 1                                                …fc07',
    '  7  before 11:02  ~ weight   a:1      1.0.0    1 → 5                                                   …fc07',
    '  7  before 11:02  ~ updated  a:1      1.0.0    metadata.zone a → none, port 1 → 2, lease none → …fc07  …fc07',
    '  7  before 11:02  ~ updated  a:1      1.0.0    written again, unchanged                                …fc07',
    '  7  before 11:02  - gone     a:1      1.0.0    reason unknown  (kratos)                                none',
  ])
})

test('later rows keep the columns of earlier ones, and have no header', () => {
  const rows = rowsOf(true, true)
  const [head = '', first = ''] = rows.lines(CHANGES.slice(0, 1))
  expect(head.split(/ {2,}/)).toEqual([
    'REV',
    'TIME',
    'CHANGE',
    'SERVICE',
    'ADDRESS',
    'VERSION',
    'WHAT',
    'LEASE',
    'KEY',
  ])
  expect(first).toContain(OF.lease)
  const [second = '', ...more] = rows.lines([{ ...OF, type: 'weight', from: 1, to: 5 }])
  expect(more).toEqual([])
  expect(second.indexOf('a:1')).toBe(first.indexOf('a:1'))
})

describe('names from the registry cannot emit control sequences to a terminal', () => {
  const headOf = (columns: number, wide = false) => {
    const rows = new HistoryRows(plainOf(columns), { withService: true, wide, now: NOW })
    return rows.lines(CHANGES.slice(3))
  }

  test('the lease is left out first, then the version', () => {
    const longest = (lines: string[]) => Math.max(...lines.map(({ length }) => length))
    expect(longest(headOf(200))).toBe(88)
    expect(headOf(87)[0]).toMatch(/VERSION {2}WHAT$/)
    expect(headOf(80)[0]).toMatch(/ADDRESS {2}WHAT$/)
    expect(longest(headOf(80))).toBeLessThanOrEqual(80)
  })

  test('-o wide keeps all columns', () => {
    expect(headOf(80, true)[0]).toMatch(/VERSION .* LEASE +KEY$/)
  })
})

test('in ASCII, longer replacements move no column', () => {
  const rows = new HistoryRows(Object.assign(plainOf(200), { isAscii: true }), {
    withService: false,
    wide: false,
    now: NOW,
  })
  const [head = '', ...lines] = rows.lines(CHANGES)
  expect(lines.map((line) => line.slice(head.indexOf('LEASE')))).toEqual([
    '...fc07',
    '...fc07',
    '...fc07',
    '...fc07',
    'none',
  ])
})

test('names from the registry cannot control a terminal', () => {
  const change = {
    ...OF,
    type: 'added',
    weight: 1,
    problem: 'x\u001b[31m',
    addr: '\u001b[2J',
    version: '\u0007',
  } as const
  expect(rowsOf(true).lines([change]).join('\n')).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
})
