import type { Endpoint } from './endpoint.js'
import { endpointId } from './endpoint.js'
import type { Snapshot } from './snapshot.js'

/** A change of one endpoint between two snapshots. */
export type EndpointEvent =
  | { readonly type: 'added'; readonly endpoint: Endpoint }
  | { readonly type: 'weight'; readonly endpoint: Endpoint; readonly from: number; readonly to: number }
  | { readonly type: 'updated'; readonly endpoint: Endpoint; readonly before: Endpoint }
  | { readonly type: 'gone'; readonly endpoint: Endpoint }

type ByKey = Pick<Snapshot, 'byKey'>

/**
 * The events that lead from one snapshot to the other, `gone` events first.
 *
 * @param keys the keys to compare; pass the changed keys of an update to avoid a walk over all keys
 */
export function eventsBetween(before: ByKey, after: ByKey, keys?: Iterable<string>): EndpointEvent[] {
  const candidates = keys ?? new Set([...before.byKey.keys(), ...after.byKey.keys()])
  const gone: EndpointEvent[] = []
  const rest: EndpointEvent[] = []
  for (const key of candidates) {
    const old = byId(before.byKey.get(key))
    const now = byId(after.byKey.get(key))
    for (const [id, endpoint] of old) if (!now.has(id)) gone.push({ type: 'gone', endpoint })
    for (const [id, endpoint] of now) {
      const event = eventFor(old.get(id), endpoint)
      if (event) rest.push(event)
    }
  }
  return [...gone, ...rest]
}

function eventFor(before: Endpoint | undefined, endpoint: Endpoint): EndpointEvent | null {
  if (!before) return { type: 'added', endpoint }
  if (before.modRevision === endpoint.modRevision) return null
  const areReadable = before.problem === null && endpoint.problem === null
  if (
    areReadable &&
    before.lease === endpoint.lease &&
    before.weight !== endpoint.weight &&
    sameBesidesWeight(before, endpoint)
  ) {
    return { type: 'weight', endpoint, from: before.weight, to: endpoint.weight }
  }
  return { type: 'updated', endpoint, before }
}

function sameBesidesWeight(a: Endpoint, b: Endpoint): boolean {
  const isSameKind = a.layout === b.layout && a.version === b.version && a.id === b.id
  return isSameKind && restOf(a.metadata) === restOf(b.metadata)
}

/** The metadata without the weight, which some layouts store there, as JSON. */
function restOf({ weight: _weight, ...metadata }: Endpoint['metadata']): string {
  return JSON.stringify(metadata)
}

function byId(endpoints: readonly Endpoint[] | undefined): Map<string, Endpoint> {
  return new Map((endpoints ?? []).map((endpoint) => [endpointId(endpoint), endpoint]))
}
