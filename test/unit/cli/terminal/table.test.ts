import { describe, expect, it, vi } from 'vitest'
import { renderServices } from '../../../../src/cli/services/table.js'
import { type Column, renderTable } from '../../../../src/cli/terminal/table.js'
import { colored, plain, withoutColors } from '../../../support/palettes.js'

// The table library colours by its own rule, which it makes up when it is imported.
vi.hoisted(() => {
  process.env.FORCE_COLOR = '1'
})

interface Row {
  readonly name: string
  readonly n: number
}

const columns: Column<Row>[] = [
  { head: 'NAME', text: ({ name }) => name },
  { head: 'N', align: 'right', text: ({ n }) => String(n), paint: (_, text) => colored.red(text) },
  { head: 'NOTE', text: () => '' },
]

const uncolored = columns.map(({ paint, ...column }) => column)
const rows = [
  { name: 'hello', n: 5 },
  { name: 'payments', n: 1000 },
]

describe('renderTable', () => {
  it('aligns columns, two spaces apart, without borders and without trailing spaces', () => {
    expect(renderTable(rows, uncolored, plain)).toBe(
      ['NAME         N  NOTE', 'hello        5', 'payments  1000'].join('\n'),
    )
  })

  it('has no escape sequence without colors, not even one of the table library', () => {
    expect(renderTable(rows, uncolored, plain)).not.toContain('\u001b')
  })

  it('has the same text with colors: escape sequences take no width', () => {
    const painted = renderTable(rows, columns, colored)
    expect(painted).toContain(colored.dim('NAME'))
    expect(painted).toContain(colored.red('1000'))
    const lines = withoutColors(painted).split('\n')
    expect(lines.map((line) => line.trimEnd()).join('\n')).toBe(renderTable(rows, uncolored, plain))
  })

  it('looks the same with the layout of the table library as without it, which long tables skip', () => {
    const mixed: Row[] = Array.from({ length: 60 }, (_, at) => ({
      name: at % 2 === 0 ? '\u001b[2Jx  y' : '',
      n: at % 7,
    }))
    const lines = (rows: readonly Row[]) => renderTable(rows, columns, colored).split('\n')
    expect(lines(mixed).slice(0, 51)).toEqual(lines(mixed.slice(0, 50)))
  })

  it('keeps a long list in its columns, from the first line to the last', () => {
    const many = Array.from({ length: 5_000 }, (_, n) => ({ name: `service-${n}`, n }))
    const lines = renderTable(many, uncolored, plain).split('\n')
    expect(lines).toHaveLength(5_001)
    expect(lines[1]).toBe('service-0        0')
    expect(lines.at(-1)).toBe('service-4999  4999')
    expect(new Set(lines.slice(1).map((line) => line.length))).toEqual(new Set([18]))
  })

  it('shows the whole of a cell with characters that the table library measures as wider', () => {
    const pointed = '\u05e9\u05b8\u05dc\u05d5\u05b9\u05dd'
    expect(renderTable([{ name: pointed, n: 1 }], uncolored, plain)).toContain(pointed)
  })

  it('counts wide characters as two columns', () => {
    const table = renderTable(
      [
        { name: '日本', n: 1 },
        { name: 'abcd', n: 1 },
      ],
      uncolored,
      plain,
    )
    expect(table.split('\n')).toEqual(['NAME  N  NOTE', '日本  1', 'abcd  1'])
  })

  it('keeps hostile text inside its cell', () => {
    const table = renderTable([{ name: 'a\u001b[2J\nfaked', n: 1 }], uncolored, plain)
    expect(table.split('\n')).toHaveLength(2)
    expect(table).toContain('a\\u001b[2J\\u000afaked  1')
  })

  it('shows its header without rows', () => {
    expect(renderTable([], uncolored, plain)).toBe('NAME  N  NOTE')
  })
})

it('a list of services', () => {
  const service = { service: 'hello', layout: 'seed', versions: ['1.0.0', '2.0.0'], endpoints: 5, weight: 14 }
  const services = [
    { ...service, minTtlSeconds: 6, ready: null },
    { ...service, service: 'pay', versions: [], minTtlSeconds: null, ready: null },
  ]
  expect(renderServices({ schema: 'disco.services/v1', rev: '7', ttlsAsked: true, services }, plain)).toBe(
    [
      'SERVICE  VERSIONS      ENDPOINTS  WEIGHT  MIN TTL  LAYOUT',
      'hello    1.0.0, 2.0.0          5      14       6s  seed',
      'pay                            5      14     none  seed',
    ].join('\n'),
  )
  const probed = services.map((summary) => ({ ...summary, ready: 3 }))
  expect(
    renderServices({ schema: 'disco.services/v1', rev: '7', ttlsAsked: true, services: probed }, plain),
  ).toContain('hello    1.0.0, 2.0.0          5    3/5      14       6s  seed')
})
