import { DEFAULT_LAYOUT, findLayout } from '../../domain/layouts/index.js'
import type { Palette } from '../terminal/color.js'
import { type Column, renderTable } from '../terminal/table.js'
import { percent } from '../terminal/units.js'
import type { EndpointDoc, EndpointsDoc } from './document.js'

/** Endpoints of one service, from a document. */
type OfService = Pick<EndpointsDoc, 'service' | 'endpoints' | 'weightsUnset'>

interface Row {
  readonly endpoint: EndpointDoc
  readonly of: OfService
}

/** One line per endpoint: its state, share, remaining time, and problem. */
export function renderEndpoints(
  docs: readonly OfService[],
  palette: Palette,
  { wide = false, withTtl = true, withService = false, most = Number.POSITIVE_INFINITY }: Looks = {},
): string {
  const rows = docs
    .flatMap((of) => inOrder(of.endpoints).map((endpoint) => ({ endpoint, of })))
    .slice(0, most)
  const endpoints = rows.map(({ endpoint }) => endpoint)
  const columns: Column<Row>[] = [
    {
      head: '',
      text: (row) => conditionOf(row).glyph,
      paint: (row, text) => conditionOf(row).paint(palette, text),
    },
    ...(endpoints.some(({ registry }) => registry !== undefined) ? [REGISTRY] : []),
    ...(withService ? [{ head: 'SERVICE', text: ({ of }: Row) => of.service }] : []),
    { head: 'ADDRESS', text: ({ endpoint }) => endpoint.addr },
    { head: 'VERSION', text: ({ endpoint }) => endpoint.version },
    {
      head: 'WEIGHT',
      align: 'right',
      text: ({ endpoint: { weight, problem } }) => (problem === null ? String(weight) : '–'),
    },
    { head: 'SHARE', align: 'right', text: ({ endpoint }) => percent(endpoint.share) },
    ...(endpoints.some(({ ready }) => ready !== null) ? [readyColumn(palette)] : []),
    ...(withTtl ? [{ head: 'TTL', align: 'right', text: ttl } as const] : []),
    {
      head: 'LEASE',
      text: ({ endpoint: { lease } }) => (lease === null ? 'none' : wide ? lease : `…${lease.slice(-4)}`),
    },
    { head: 'REV', align: 'right', text: ({ endpoint }) => endpoint.modRevision },
    ...(wide ? wideColumns() : namesLayouts(endpoints) ? [LAYOUT] : []),
    { head: 'NOTE', text: (row) => conditionOf(row).note },
  ]
  return renderTable(rows, columns, palette)
}

/**
 * By version, then by address, with numbers in them by their value: port 900 before 1000, and 10.0.0.9 before
 * 10.0.0.10, unlike etcd's order of keys. Compared as padded text, since a list has up to 100,000 endpoints.
 */
function inOrder(endpoints: readonly EndpointDoc[]): EndpointDoc[] {
  const padded = (text: string) => text.replaceAll(/\d+/g, (digits) => digits.padStart(12, '0'))
  return endpoints
    .map((endpoint) => ({ endpoint, place: padded(`${endpoint.version}\0${endpoint.addr}`) }))
    .sort((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : 0))
    .map(({ endpoint }) => endpoint)
}

/** The legend of the glyphs. */
export function renderLegend(palette: Palette): string {
  return palette.dim('● leased  ◐ drained  ✗ problem')
}

interface Looks {
  readonly wide?: boolean
  readonly withTtl?: boolean
  /** Only with several services. */
  readonly withService?: boolean
  /** Further rows are omitted. */
  readonly most?: number
}

function readyColumn(palette: Palette): Column<Row> {
  return {
    head: 'READY',
    text: ({ endpoint }) => endpoint.health ?? '–',
    paint: ({ endpoint }, text) => (endpoint.ready ? palette.green(text) : palette.red(text)),
  }
}

const REGISTRY: Column<Row> = { head: 'REGISTRY', text: ({ endpoint }) => endpoint.registry ?? '' }

const LAYOUT: Column<Row> = { head: 'LAYOUT', text: ({ endpoint }) => endpoint.layout }

/** The LAYOUT column is omitted if all endpoints are in the default layout. */
function namesLayouts(endpoints: readonly EndpointDoc[]): boolean {
  return endpoints.some(({ layout }) => layout !== DEFAULT_LAYOUT.name)
}

function wideColumns(): Column<Row>[] {
  return [
    { head: 'CREATED', align: 'right', text: ({ endpoint }) => endpoint.createRevision },
    LAYOUT,
    { head: 'KEY', text: ({ endpoint }) => endpoint.key },
  ]
}

interface Condition {
  readonly glyph: string
  readonly note: string
  readonly paint: (palette: Palette, text: string) => string
}

function conditionOf({ endpoint: row, of: { weightsUnset } }: Row): Condition {
  const red = (palette: Palette, text: string) => palette.red(text)
  if (row.problem !== null) return { glyph: '✗', note: row.problem, paint: red }
  const drained = row.weight === 0 && !weightsUnset
  const wantsLease = findLayout(row.layout)?.wantsLease ?? true
  const noLease = row.lease === null && wantsLease ? 'no lease' : null
  const hints = row.hints.map(({ text }) => text)
  const note = [drained ? 'drained' : null, noLease, weightsUnset ? 'weights unset' : null, ...hints]
    .filter(Boolean)
    .join(', ')
  if (row.ready === false) return { glyph: '✗', note, paint: red }
  if (drained) return { glyph: '◐', note, paint: (palette, text) => palette.yellow(text) }
  if (noLease) return { glyph: '✗', note, paint: red }
  return { glyph: '●', note, paint: (palette, text) => palette.green(text) }
}

function ttl({ endpoint: { lease, ttlSeconds, grantedTtlSeconds } }: Row): string {
  if (lease === null) return 'none'
  return ttlSeconds === null ? 'ended' : `${ttlSeconds}s/${grantedTtlSeconds}s`
}
