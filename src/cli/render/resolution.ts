import type { ResolveDoc, SourceDoc } from '../schema/resolve.js'
import type { Palette } from './color.js'
import { renderTable } from './table.js'
import { age, count, percent } from './units.js'
import { visible } from './visible.js'

/** What a gRPC client is given for a target: where from, the endpoints, and how to balance among them. */
export function renderResolution(doc: ResolveDoc, palette: Palette): string {
  const { endpoints, serviceConfig, authority } = doc
  const weight = endpoints.reduce((sum, endpoint) => sum + endpoint.weight, 0)
  const config = serviceConfig === null ? 'none: pick_first' : visible(JSON.stringify(serviceConfig))
  return [
    `${visible(doc.target)} → ${count(endpoints.length, 'endpoint')}, weight ${weight}   ${sourceOf(doc)}`,
    ...staleness(doc, palette),
    '',
    ...(endpoints.length === 0 ? [] : [endpointTable(doc, palette), '']),
    `authority       ${visible(authority)}`,
    `service config  ${config}`,
  ].join('\n')
}

/** Where a list came from, in words. */
export function sourceOf({ source, rev, ageMs }: SourceDoc): string {
  if (source === 'cache') return `from the cache, rev ${rev}, seen ${age(ageMs)} ago`
  return rev === null ? `from ${source}` : `from ${source}, rev ${rev}`
}

/** A line for a list that may no longer be right. */
export function staleness({ stale }: SourceDoc, palette: Palette): string[] {
  return stale === null ? [] : [palette.yellow(`! STALE: ${visible(stale)}`)]
}

function endpointTable({ endpoints }: ResolveDoc, palette: Palette): string {
  return renderTable(
    endpoints,
    [
      { head: 'ADDRESS', text: ({ addresses }) => addresses.join(', ') },
      { head: 'VERSION', text: ({ attributes }) => attributes.version },
      { head: 'WEIGHT', align: 'right', text: ({ weight }) => String(weight) },
      { head: 'SHARE', align: 'right', text: ({ share }) => percent(share) },
      { head: 'ID', text: ({ attributes }) => attributes.id ?? '' },
      { head: 'METADATA', text: ({ attributes }) => pairs(attributes.metadata) },
    ],
    palette,
  )
}

function pairs(metadata: Readonly<Record<string, string>>): string {
  return Object.entries(metadata)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}
