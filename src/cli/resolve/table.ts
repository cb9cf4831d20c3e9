import { registryLines } from '../registries/parts.js'
import type { Palette } from '../terminal/color.js'
import { renderTable } from '../terminal/table.js'
import { age, count, percent } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'
import type { ResolveDoc, ResolvedEndpointDoc, SourceDoc } from './document.js'

/** The resolution of a target: source of the list, endpoints, and service config. */
export function renderResolution(doc: ResolveDoc, palette: Palette): string {
  const { endpoints, serviceConfig, authority } = doc
  const weight = endpoints.reduce((sum, endpoint) => sum + endpoint.weight, 0)
  const config = serviceConfig === null ? 'none: pick_first' : visible(JSON.stringify(serviceConfig))
  return [
    `${visible(doc.target)} → ${count(endpoints.length, 'endpoint')}, weight ${weight}   ${doc.registries ? '' : sourceOf(doc)}`.trimEnd(),
    ...(doc.registries ? registryLines(doc.registries, palette) : staleness(doc, palette)),
    '',
    ...(endpoints.length === 0 ? [] : [endpointTable(doc, palette), '']),
    ...(doc.unusable.length === 0 ? [] : [...unusableLines(doc, palette), '']),
    `authority       ${visible(authority)}`,
    `service config  ${config}`,
  ].join('\n')
}

/** Maximum number of lines about endpoints that are not dialled; JSON has all of these endpoints. */
const MAX_UNUSABLE = 10

/** A line for each registered endpoint that no client dials, with the reason. */
export function unusableLines({ unusable }: Pick<ResolveDoc, 'unusable'>, palette: Palette): string[] {
  const lines = unusable
    .slice(0, MAX_UNUSABLE)
    .map(({ addr, key, problem }) =>
      palette.yellow(`! ${visible(addr || key)} is not dialled: ${visible(problem)}`),
    )
  const others = unusable.length - lines.length
  return [...lines, ...(others > 0 ? [`… ${count(others, 'other')}, see --json`] : [])]
}

/** The source of a list, in words. */
export function sourceOf({ source, rev, ageMs }: SourceDoc): string {
  if (source === 'cache') return `from the cache, rev ${rev}, seen ${age(ageMs)} ago`
  return rev === null ? `from ${source}` : `from ${source}, rev ${rev}`
}

/** A line for a list that may be out of date. */
export function staleness({ stale }: SourceDoc, palette: Palette): string[] {
  return stale === null ? [] : [palette.yellow(`! STALE: ${visible(stale)}`)]
}

function endpointTable({ endpoints }: ResolveDoc, palette: Palette): string {
  return renderTable(
    endpoints,
    [
      ...(endpoints.some(({ registry }) => registry !== undefined)
        ? [{ head: 'REGISTRY', text: ({ registry = '' }: ResolvedEndpointDoc) => registry }]
        : []),
      { head: 'ADDRESS', text: ({ addresses }) => addresses.join(', '), wraps: true },
      { head: 'VERSION', text: ({ attributes }) => attributes.version, dropOrder: 3 },
      { head: 'WEIGHT', align: 'right', text: ({ weight }) => String(weight), dropOrder: 4 },
      { head: 'SHARE', align: 'right', text: ({ share }) => percent(share), dropOrder: 2 },
      { head: 'ID', text: ({ attributes }) => attributes.id ?? '', dropOrder: 1 },
      { head: 'METADATA', text: ({ attributes }) => pairs(attributes.metadata), wraps: true },
    ],
    palette,
  )
}

function pairs(metadata: Readonly<Record<string, string>>): string {
  return Object.entries(metadata)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}
