import { describe, expect, it } from 'vitest'
import { endpointsDoc } from '../../../../src/cli/endpoints/document.js'
import { renderEndpoints } from '../../../../src/cli/endpoints/table.js'
import { fitColumns } from '../../../../src/cli/terminal/fit.js'
import { renderTable } from '../../../../src/cli/terminal/table.js'
import { endpoint } from '../../../support/endpoints.js'
import { plain, plainOf } from '../../../support/palettes.js'

describe('the columns of a table', () => {
  const columns = [
    { width: 10 },
    { width: 8, dropOrder: 2 },
    { width: 6, dropOrder: 1 },
    { width: 40, wraps: true },
  ]
  const fitted = (room: number) => fitColumns(columns, room, 2).map(({ at, width }) => [at, width])

  it.each([
    [
      70,
      [
        [0, 10],
        [1, 8],
        [2, 6],
        [3, 40],
      ],
    ],
    [
      60,
      [
        [0, 10],
        [1, 8],
        [2, 6],
        [3, 30],
      ],
    ],
    [
      48,
      [
        [0, 10],
        [1, 8],
        [2, 6],
        [3, 18],
      ],
    ],
    [
      47,
      [
        [0, 10],
        [1, 8],
        [3, 25],
      ],
    ],
    [
      39,
      [
        [0, 10],
        [3, 27],
      ],
    ],
    [
      30,
      [
        [0, 10],
        [3, 18],
      ],
    ],
    [
      25,
      [
        [0, 10],
        [3, 13],
      ],
    ],
    [
      10,
      [
        [0, 10],
        [3, 10],
      ],
    ],
  ])(
    'in %d columns of a terminal: texts wrap first, then columns are dropped in their order',
    (room, expected) => {
      expect(fitted(room)).toEqual(expected)
    },
  )
})

describe('a table on a narrow terminal', () => {
  const rows = [
    { name: 'a', note: 'refused the connection of the client' },
    { name: 'bb', note: '' },
  ]
  const columns = [
    { head: 'NAME', text: ({ name }: (typeof rows)[0]) => name },
    { head: 'REV', align: 'right', text: () => '1042', dropOrder: 1 },
    { head: 'NOTE', text: ({ note }: (typeof rows)[0]) => note, wraps: true },
    { head: 'N', align: 'right', text: () => '7' },
  ] as const

  it('continues a text below itself, in the same column', () => {
    expect(renderTable(rows, columns, plainOf(37)).split('\n')).toEqual([
      'NAME   REV  NOTE                    N',
      'a     1042  refused the connection  7',
      '            of the client',
      'bb    1042                          7',
    ])
    expect(renderTable(rows, columns, plainOf(30)).split('\n')[0]).toBe('NAME  NOTE                   N')
    expect(renderTable(rows, columns, plainOf(37), { lines: 'one' }).split('\n')).toHaveLength(3)
  })

  it('looks the same with the layout of the table library as without it, which long tables skip', () => {
    const many = Array.from({ length: 60 }, (_, at) => rows[at % 2] ?? { name: '', note: '' })
    const lines = (some: typeof rows) => renderTable(some, columns, plainOf(37)).split('\n')
    expect(lines(many).slice(0, 76)).toEqual(lines(many.slice(0, 50)))
  })
})

describe('a list of endpoints', () => {
  const lease = '1eeea1fb579bfc07'
  const ttls = new Map([[lease, { ttlSeconds: 7, grantedTtlSeconds: 10 }]])
  const list = {
    revision: 1042,
    endpoints: [
      endpoint({ addr: '127.0.0.1:1001', version: '1.0.0', lease, modRevision: 1020 }),
      endpoint({ addr: '127.0.0.1:1004', version: '1.0.0', lease: null, weight: 0, modRevision: 112 }),
      endpoint({
        addr: '127.0.0.1:1006',
        problem: {
          kind: 'unreadable',
          text: 'value is not JSON: Unexpected token at position 14 of the value',
        },
      }),
    ],
  }
  const lines = (columns: number) =>
    renderEndpoints([endpointsDoc('hello', list, ttls)], plainOf(columns)).split('\n')

  it('shows all columns at a width of 100, and fits into widths of 80 and 40', () => {
    expect(lines(100)[0]).toBe('   ADDRESS         VERSION  WEIGHT   SHARE     TTL  LEASE   REV  NOTE')
    expect(lines(80)[0]).toBe('   ADDRESS         VERSION  WEIGHT   SHARE     TTL  LEASE  NOTE')
    expect(lines(40)[0]).toBe('   ADDRESS         NOTE')
    for (const columns of [100, 80, 60, 40]) {
      for (const line of lines(columns)) expect(line.length, line).toBeLessThanOrEqual(columns)
      expect(lines(columns).join(' ').replaceAll(/ +/g, ' ')).toContain('position 14')
    }
  })

  it('explains the glyphs that it contains on a terminal', () => {
    expect(lines(100).at(-1)).toBe('● leased  ◐ drained  ✗ problem')
    const [leased] = list.endpoints
    const one = { revision: 1, endpoints: leased ? [leased] : [] }
    expect(
      renderEndpoints([endpointsDoc('hello', one, ttls)], plainOf(80))
        .split('\n')
        .at(-1),
    ).toBe('● leased')
    expect(renderEndpoints([endpointsDoc('hello', one, ttls)], plain)).not.toContain('● leased')
  })
})
