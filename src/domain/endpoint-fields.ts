import type { Endpoint } from './endpoint.js'
import { findLayout } from './layouts/index.js'

/** A difference between two states of an endpoint. Values are JSON; null if the endpoint lacks the field. */
export interface FieldChange {
  /** `weight`, `metadata.zone`, or a field of `Endpoint.extra`, which has the layout's own name. */
  readonly field: string
  readonly from: unknown
  readonly to: unknown
}

/** The layout whose ids are lease ids. They change with each registration, and so are not compared. */
const IDS_ARE_LEASES = 'go-zero'

/** The fields of an endpoint by name, in the order in which reports list them. */
export function fieldsOf(endpoint: Endpoint): ReadonlyMap<string, unknown> {
  const { layout, version, weight, problem, id = null, metadata, extra = {} } = endpoint
  // Some layouts keep the weight in the metadata.
  const own = Object.entries(metadata).filter(([name, text]) => name !== 'weight' || text !== String(weight))
  return new Map<string, unknown>([
    ['layout', layout],
    ['version', version],
    ['weight', weight],
    ['problem', problem?.text ?? null],
    ['id', layout === IDS_ARE_LEASES ? null : id],
    ...own.map(([name, text]) => [`metadata.${name}`, text] as const),
    ...Object.entries(extra),
  ])
}

/** The fields that differ between two maps of fields. */
export function changedFields(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): FieldChange[] {
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names].flatMap((field) => {
    const [from, to] = [before.get(field) ?? null, after.get(field) ?? null]
    return JSON.stringify(from) === JSON.stringify(to) ? [] : { field, from, to }
  })
}

/**
 * The fields of an endpoint. A field that the layout cannot carry is null, in place of the default that the endpoint
 * has for it. A field that the endpoint lacks is null or absent.
 */
export function carriedFields(endpoint: Endpoint): ReadonlyMap<string, unknown> {
  const fields = [...fieldsOf(endpoint)]
  return new Map(fields.map(([field, value]) => [field, cannotCarry(endpoint.layout, field) ? null : value]))
}

/** Whether a layout cannot carry a field. False for an unknown layout. */
export function cannotCarry(name: string, field: string): boolean {
  const layout = findLayout(name)
  if (!layout) return false
  if (field === 'weight') return layout.weightless !== null
  if (field === 'version') return !layout.hasVersion
  return field === 'id' && layout.id === 'none'
}
