import { DEFAULT_LAYOUT, findLayout } from '../../domain/layouts/index.js'
import { inOrderOf, type SortOrder } from '../flags/listing.js'
import type { Palette } from '../terminal/color.js'
import { type Column, renderTable, type TableChoice } from '../terminal/table.js'
import { percent } from '../terminal/units.js'
import { ENDPOINT_VALUES, type EndpointDoc, type EndpointsDoc } from './document.js'

/** The part of a service's document that a table needs. */
type OfService = Pick<EndpointsDoc, 'service' | 'endpoints' | 'weightsUnset'>

/** An endpoint in a table. */
export interface EndpointRow {
  readonly endpoint: EndpointDoc
  readonly of: OfService
}

/** One line per endpoint: its state, share, remaining TTL, and problem. */
export function renderEndpoints(docs: readonly OfService[], palette: Palette, looks: Looks = {}): string {
  const rows = inOrderOf(rowsOf(docs), looks.sort, ROW_VALUES)
  const hasGlyphs = palette.isTerminal && (looks.columns?.includes('state') ?? true)
  const conditions = new Set(hasGlyphs ? rows.map(conditionOf) : [])
  const legend = conditions.size === 0 ? [] : [renderLegend(palette, conditions)]
  return [renderRows(rows, palette, looks), ...legend].join('\n')
}

/** The rows of a table, by version and address within each service. */
export function rowsOf(docs: readonly OfService[]): EndpointRow[] {
  return docs.flatMap((of) => inOrder(of.endpoints).map((endpoint) => ({ endpoint, of })))
}

export function renderRows(
  rows: readonly EndpointRow[],
  palette: Palette,
  { wide: isWide = false, withTtl = true, withService = false, ...choice }: Looks = {},
): string {
  const wide = isWide || choice.columns !== undefined
  const endpoints = rows.map(({ endpoint }) => endpoint)
  const columns: Column<EndpointRow>[] = [
    {
      head: '',
      text: (row) => CONDITIONS[conditionOf(row)].glyph,
      paint: (row, text) => CONDITIONS[conditionOf(row)].paint(palette, text),
    },
    ...(endpoints.some(({ registry }) => registry !== undefined) ? [REGISTRY] : []),
    ...(withService ? [{ head: 'SERVICE', text: ({ of }: EndpointRow) => of.service }] : []),
    { head: 'ADDRESS', text: ({ endpoint }) => endpoint.addr },
    { head: 'VERSION', text: ({ endpoint }) => endpoint.version, dropOrder: 6 },
    {
      head: 'WEIGHT',
      align: 'right',
      dropOrder: 7,
      text: ({ endpoint: { weight, problem } }) => (problem === null ? String(weight) : '–'),
    },
    { head: 'SHARE', align: 'right', text: ({ endpoint }) => percent(endpoint.share), dropOrder: 5 },
    ...(endpoints.some(({ ready }) => ready !== null) ? [readyColumn(palette)] : []),
    ...(withTtl ? [{ head: 'TTL', align: 'right', text: ttl, dropOrder: 3 } as const] : []),
    {
      head: 'LEASE',
      dropOrder: 2,
      text: ({ endpoint: { lease } }) => (lease === null ? 'none' : wide ? lease : `…${lease.slice(-4)}`),
    },
    { head: 'REV', align: 'right', text: ({ endpoint }) => endpoint.modRevision, dropOrder: 1 },
    ...(wide ? wideColumns() : namesLayouts(endpoints) ? [LAYOUT] : []),
    { head: 'NOTE', text: noteOf, wraps: true },
  ]
  return renderTable(rows, columns, palette, choice)
}

const ROW_VALUES = {
  ...Object.fromEntries(
    Object.entries(ENDPOINT_VALUES).map(
      ([name, value]) => [name, ({ endpoint }: EndpointRow) => value(endpoint)] as const,
    ),
  ),
  service: ({ of }: EndpointRow) => of.service,
}

/**
 * Sorts by version, then by address. Numbers are ordered by value, unlike etcd's keys: port 900 before 1000, 10.0.0.9
 * before 10.0.0.10. Compares padded texts, which is fast enough for 100,000 endpoints.
 */
function inOrder(endpoints: readonly EndpointDoc[]): EndpointDoc[] {
  const padded = (text: string) => text.replaceAll(/\d+/g, (digits) => digits.padStart(12, '0'))
  return endpoints
    .map((endpoint) => ({ endpoint, place: padded(`${endpoint.version}\0${endpoint.addr}`) }))
    .sort((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : 0))
    .map(({ endpoint }) => endpoint)
}

/** The legend of the glyphs. */
export function renderLegend(palette: Palette, conditions: ReadonlySet<Condition> = ALL_CONDITIONS): string {
  const shown = [...ALL_CONDITIONS].filter((condition) => conditions.has(condition))
  return palette.dim(shown.map((condition) => `${CONDITIONS[condition].glyph} ${condition}`).join('  '))
}

interface Looks extends TableChoice {
  readonly wide?: boolean
  readonly withTtl?: boolean
  /** Whether rows of several services are shown. */
  readonly withService?: boolean
  /** The order of the rows; by default by version and address. */
  readonly sort?: SortOrder | undefined
}

function readyColumn(palette: Palette): Column<EndpointRow> {
  return {
    head: 'READY',
    wraps: true,
    text: ({ endpoint }) => endpoint.health ?? '–',
    paint: ({ endpoint }, text) => (endpoint.ready ? palette.green(text) : palette.red(text)),
  }
}

const REGISTRY: Column<EndpointRow> = { head: 'REGISTRY', text: ({ endpoint }) => endpoint.registry ?? '' }

const LAYOUT: Column<EndpointRow> = { head: 'LAYOUT', text: ({ endpoint }) => endpoint.layout, dropOrder: 4 }

/** The LAYOUT column is omitted if all endpoints are in the default layout. */
function namesLayouts(endpoints: readonly EndpointDoc[]): boolean {
  return endpoints.some(({ layout }) => layout !== DEFAULT_LAYOUT.name)
}

function wideColumns(): Column<EndpointRow>[] {
  return [
    { head: 'CREATED', align: 'right', text: ({ endpoint }) => endpoint.createRevision },
    LAYOUT,
    { head: 'KEY', text: ({ endpoint }) => endpoint.key },
  ]
}

/** The state of an endpoint, as its glyph shows it. */
export type Condition = 'leased' | 'drained' | 'problem'

const CONDITIONS: Readonly<
  Record<Condition, { readonly glyph: string; paint(palette: Palette, text: string): string }>
> = {
  leased: { glyph: '●', paint: (palette, text) => palette.green(text) },
  drained: { glyph: '◐', paint: (palette, text) => palette.yellow(text) },
  problem: { glyph: '✗', paint: (palette, text) => palette.red(text) },
}

const ALL_CONDITIONS: ReadonlySet<Condition> = new Set(['leased', 'drained', 'problem'])

export function conditionOf(row: EndpointRow): Condition {
  const { problem, ready } = row.endpoint
  if (problem !== null || ready === false) return 'problem'
  if (isDrained(row)) return 'drained'
  return lacksLease(row) ? 'problem' : 'leased'
}

/** The problem of an endpoint, or else its states and hints; empty for most endpoints. */
export function noteOf(row: EndpointRow): string {
  const { problem, hints } = row.endpoint
  if (problem !== null) return problem
  const { weightsUnset } = row.of
  const states = [isDrained(row) && 'drained', lacksLease(row) && 'no lease', weightsUnset && 'weights unset']
  return [...states, ...hints.map(({ text }) => text)].filter(Boolean).join(', ')
}

function isDrained({ endpoint, of }: EndpointRow): boolean {
  return endpoint.weight === 0 && !of.weightsUnset
}

/** Whether the endpoint has no lease although its layout expects one. */
function lacksLease({ endpoint: { lease, layout } }: EndpointRow): boolean {
  return lease === null && (findLayout(layout)?.wantsLease ?? true)
}

function ttl({ endpoint: { lease, ttlSeconds, grantedTtlSeconds } }: EndpointRow): string {
  if (lease === null) return 'none'
  return ttlSeconds === null ? 'ended' : `${ttlSeconds}s/${grantedTtlSeconds}s`
}
