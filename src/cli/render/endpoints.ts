import { DEFAULT_LAYOUT, findLayout } from '../../domain/layouts/index.js'
import type { Palette } from '../color.js'
import type { EndpointDoc, EndpointsDoc } from '../schema/endpoints.js'
import { type Column, renderTable } from './table.js'
import { percent } from './units.js'

/** One line an endpoint: who is in rotation, with which share, for how long still, and why not. */
export function renderEndpoints(
  doc: Pick<EndpointsDoc, 'endpoints' | 'weightsUnset'>,
  palette: Palette,
  { wide = false, withTtl = true }: { wide?: boolean; withTtl?: boolean } = {},
): string {
  const columns: Column<EndpointDoc>[] = [
    {
      head: '',
      text: (row) => standing(row, doc).glyph,
      paint: (row, text) => standing(row, doc).paint(palette, text),
    },
    { head: 'ADDRESS', text: ({ addr }) => addr },
    { head: 'VERSION', text: ({ version }) => version },
    {
      head: 'WEIGHT',
      align: 'right',
      text: ({ weight, problem }) => (problem === null ? String(weight) : '–'),
    },
    { head: 'SHARE', align: 'right', text: ({ share }) => percent(share) },
    ...(doc.endpoints.some(({ ready }) => ready !== null) ? [readyColumn(palette)] : []),
    ...(withTtl ? [{ head: 'TTL', align: 'right', text: ttl } as const] : []),
    { head: 'LEASE', text: ({ lease }) => (lease === null ? 'none' : wide ? lease : `…${lease.slice(-4)}`) },
    { head: 'REV', align: 'right', text: ({ modRevision }) => modRevision },
    ...(wide ? wideColumns() : namesLayouts(doc.endpoints) ? [LAYOUT] : []),
    { head: 'NOTE', text: (row) => standing(row, doc).note },
  ]
  return renderTable(doc.endpoints, columns, palette)
}

function readyColumn(palette: Palette): Column<EndpointDoc> {
  return {
    head: 'READY',
    text: ({ health }) => health ?? '–',
    paint: ({ ready }, text) => (ready ? palette.green(text) : palette.red(text)),
  }
}

const LAYOUT: Column<EndpointDoc> = { head: 'LAYOUT', text: ({ layout }) => layout }

/** Where all is in the default layout there is nothing to tell apart. */
function namesLayouts(endpoints: readonly EndpointDoc[]): boolean {
  return endpoints.some(({ layout }) => layout !== DEFAULT_LAYOUT.name)
}

function wideColumns(): Column<EndpointDoc>[] {
  return [
    { head: 'CREATED', align: 'right', text: ({ createRevision }) => createRevision },
    LAYOUT,
    { head: 'KEY', text: ({ key }) => key },
  ]
}

interface Standing {
  readonly glyph: string
  readonly note: string
  readonly paint: (palette: Palette, text: string) => string
}

function standing(row: EndpointDoc, { weightsUnset }: { weightsUnset: boolean }): Standing {
  const red = (palette: Palette, text: string) => palette.red(text)
  if (row.problem !== null) return { glyph: '✗', note: row.problem, paint: red }
  const drained = row.weight === 0 && !weightsUnset
  const wantsLease = findLayout(row.layout)?.wantsLease ?? true
  const immortal = row.lease === null && wantsLease ? 'no lease' : null
  const hints = row.hints.map(({ text }) => text)
  const note = [drained ? 'drained' : null, immortal, weightsUnset ? 'weights unset' : null, ...hints]
    .filter(Boolean)
    .join(', ')
  if (row.ready === false) return { glyph: '✗', note, paint: red }
  if (drained) return { glyph: '◐', note, paint: (palette, text) => palette.yellow(text) }
  if (immortal) return { glyph: '✗', note, paint: red }
  return { glyph: '●', note, paint: (palette, text) => palette.green(text) }
}

function ttl({ lease, ttlSeconds, grantedTtlSeconds }: EndpointDoc): string {
  if (lease === null) return 'none'
  return ttlSeconds === null ? 'ended' : `${ttlSeconds}s/${grantedTtlSeconds}s`
}
