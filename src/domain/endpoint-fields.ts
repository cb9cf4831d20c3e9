import { type Endpoint, leaseDecimal } from './endpoint.js'

/** A difference between two states of an endpoint. Values are JSON; null where the endpoint lacks the field. */
export interface FieldChange {
  /** `weight`, `metadata.zone`, or a field that only its layout knows, under the layout's name. */
  readonly field: string
  readonly from: unknown
  readonly to: unknown
}

/** The fields of an endpoint by name, in the order of reports. */
export function fieldsOf(endpoint: Endpoint): ReadonlyMap<string, unknown> {
  const { layout, version, weight, problem, id, lease, metadata, extra } = endpoint
  // go-zero's id is the lease, and changes with it.
  const isOfLease = id !== undefined && lease !== null && id === leaseDecimal(lease)
  // Some layouts keep the weight in the metadata.
  const own = Object.entries(metadata).filter(([name, text]) => name !== 'weight' || text !== String(weight))
  return new Map<string, unknown>([
    ['layout', layout],
    ['version', version],
    ['weight', weight],
    ['problem', problem?.text ?? null],
    ['id', isOfLease ? null : (id ?? null)],
    ...own.map(([name, text]) => [`metadata.${name}`, text] as const),
    ...Object.entries(extra ?? {}),
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
