import { readAddress } from '../../domain/address.js'
import { type Endpoint, endpointId } from '../../domain/endpoint.js'
import { selects } from '../../domain/selector.js'
import { effectiveWeights } from '../../domain/shares.js'
import type { RegisteredEndpoint } from './endpoint.js'
import { selectorOf, type Target } from './target.js'

type Conditions = Pick<Target, 'where' | 'spillOver'> & Partial<Pick<Target, 'select'>>

/** The endpoints that a target selects from one list of a service. */
export interface SelectedEndpoints {
  /** The selected endpoints that can be dialled, as a channel receives them. */
  readonly endpoints: RegisteredEndpoint[]
  /** All selected endpoints, including undialable ones; the list itself if all its endpoints are selected. */
  readonly registered: readonly Endpoint[]
}

/** Selects endpoints from the lists of a service. Channels with the same conditions share the result for a list. */
export class Selection {
  private static readonly made = new WeakMap<readonly Endpoint[], Map<string, SelectedEndpoints>>()
  private readonly key: string

  constructor(private readonly conditions: Conditions) {
    this.key = JSON.stringify([selectorOf(conditions), conditions.spillOver])
  }

  /** @param service all endpoints of the service; the array must not be changed afterwards */
  of(service: readonly Endpoint[]): SelectedEndpoints {
    const byConditions = Selection.made.get(service) ?? new Map<string, SelectedEndpoints>()
    Selection.made.set(service, byConditions)
    const selected = byConditions.get(this.key) ?? select(service, this.conditions)
    byConditions.set(this.key, selected)
    return selected
  }
}

/**
 * The selected endpoints of a service that can be dialled. If the target spills over, and no selected endpoint can
 * receive calls (there is none, or all are drained): all endpoints of the service that can be dialled.
 */
export function toGrpcEndpoints(service: readonly Endpoint[], conditions: Conditions): RegisteredEndpoint[] {
  return select(service, conditions).endpoints
}

function select(service: readonly Endpoint[], conditions: Conditions): SelectedEndpoints {
  const weightOf = effectiveWeights(service)
  const toGrpc = (registered: readonly Endpoint[]): SelectedEndpoints => ({
    registered,
    endpoints: dialable(registered, weightOf),
  })
  const selector = selectorOf(conditions)
  if (selector.length === 0) return toGrpc(service)
  const selected = toGrpc(service.filter((registration) => selects(selector, registration)))
  const isUsable = selected.endpoints.some(({ weight }) => weight > 0)
  return isUsable || !conditions.spillOver ? selected : toGrpc(service)
}

function dialable(
  registered: readonly Endpoint[],
  weightOf: (registration: Endpoint) => number,
): RegisteredEndpoint[] {
  const endpoints: RegisteredEndpoint[] = []
  // Called for each change. The loop is four times as fast as flatMap().
  for (const registration of registered) {
    const endpoint = toGrpcEndpoint(registration, weightOf(registration))
    if (endpoint) endpoints.push(endpoint)
  }
  return endpoints
}

/** The converted endpoints. An unchanged endpoint keeps its object, so that the balancer updates only changed ones. */
const converted = new WeakMap<Endpoint, RegisteredEndpoint>()

/** Converts an endpoint; null if it cannot be dialled. */
function toGrpcEndpoint(registration: Endpoint, weight: number): RegisteredEndpoint | null {
  if (registration.problem !== null) return null
  const before = converted.get(registration)
  if (before?.weight === weight) return before
  const address = readAddress(registration.addr)
  if ('problem' in address) return null
  const addresses =
    address.kind === 'unix' ? [{ path: address.path }] : [{ host: address.host, port: address.port }]
  const endpoint = { addresses, id: endpointId(registration), registration, weight }
  converted.set(registration, endpoint)
  return endpoint
}
