import { readAddress } from '../../domain/address.js'
import { type Endpoint, endpointId } from '../../domain/endpoint.js'
import { attributeOf, selects } from '../../domain/selector.js'
import { effectiveWeight, weightsAreUnset } from '../../domain/shares.js'
import type { RegisteredEndpoint } from './endpoint.js'
import type { Target } from './target.js'

type Conditions = Pick<Target, 'where' | 'spillOver'> & Partial<Pick<Target, 'select'>>

/** What a target selects of a service's lists. Channels with the same conditions share the result for a list. */
export class Selection {
  private static readonly made = new WeakMap<readonly Endpoint[], Map<string, RegisteredEndpoint[]>>()
  private readonly key: string

  constructor(private readonly conditions: Conditions) {
    this.key = JSON.stringify([conditions.where, conditions.select, conditions.spillOver])
  }

  /** @param service as `toGrpcEndpoints`; an array that is not changed afterwards */
  of(service: readonly Endpoint[]): RegisteredEndpoint[] {
    const byConditions = Selection.made.get(service) ?? new Map<string, RegisteredEndpoint[]>()
    Selection.made.set(service, byConditions)
    const endpoints = byConditions.get(this.key) ?? toGrpcEndpoints(service, this.conditions)
    byConditions.set(this.key, endpoints)
    return endpoints
  }
}

/**
 * The endpoints of a service that a target selects and that can be dialled; all of the service where those
 * selected could get no call (none is there, or all are drained) and the target spills over.
 */
export function toGrpcEndpoints(
  service: readonly Endpoint[],
  { where, select = [], spillOver }: Conditions,
): RegisteredEndpoint[] {
  const unset = weightsAreUnset(service)
  const all = service.flatMap((registration) => toGrpcEndpoint(registration, unset))
  const conditions = Object.entries(where)
  if (conditions.length === 0 && select.length === 0) return all
  const selected = all.filter(
    ({ registration }) =>
      conditions.every(([name, value]) => attributeNamed(name, registration) === value) &&
      selects(select, registration),
  )
  return spillOver && selected.every(({ weight }) => weight === 0) ? all : selected
}

/** Most of a list is the same as before, and so are then the objects: a change costs little more than itself. */
const made = new WeakMap<Endpoint, RegisteredEndpoint>()

function toGrpcEndpoint(registration: Endpoint, unset: boolean): RegisteredEndpoint[] {
  if (registration.problem !== null) return []
  const weight = effectiveWeight(registration, unset)
  const before = made.get(registration)
  if (before?.weight === weight) return [before]
  const address = readAddress(registration.addr)
  if ('problem' in address) return []
  const addresses =
    address.kind === 'unix' ? [{ path: address.path }] : [{ host: address.host, port: address.port }]
  const endpoint = { addresses, id: endpointId(registration), registration, weight }
  made.set(registration, endpoint)
  return [endpoint]
}

/** As in a selector, except that a plain parameter of a target called `weight` is a name of the metadata. */
function attributeNamed(name: string, endpoint: Endpoint): string {
  if (name !== 'weight') return attributeOf(endpoint, name)
  return Object.hasOwn(endpoint.metadata, name) ? (endpoint.metadata[name] ?? '') : ''
}
