import type { Endpoint, Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { weightsAreUnset } from '../domain/shares.js'
import { apply, EMPTY_SNAPSHOT } from '../domain/snapshot.js'
import type { Registry } from '../registry/registry.js'
import { type EndpointSelection, selectEndpoints } from '../registry/selection.js'
import type { WeightChanged } from '../registry/weight.js'

export interface DrainRequest {
  readonly selection: EndpointSelection
  /** How long the weight is 0 before the key goes. */
  readonly graceMs: number
  /** Even where it turns the weights off. */
  readonly force: boolean
}

export interface Drained {
  readonly revision: Revision
  /** What the weight was changed from, for each address under the key. */
  readonly weighed: WeightChanged
  /** Gone: somebody else removed the key meanwhile. Interrupted: it is registered still, at weight 0. */
  readonly end: 'unregistered' | 'gone' | 'interrupted'
}

/**
 * Weight 0, so that clients send nothing new; a while, so that they finish what they sent; then the key goes.
 *
 * @param onWeighed told when the weight is 0
 * @throws DiscoError NOT_FOUND; CONFLICT when it would turn the weights off, when somebody gives the endpoint
 *   a weight meanwhile, or its registrar puts it back
 */
export async function drain(
  registry: Registry,
  { selection, graceMs, force }: DrainRequest,
  onWeighed: (weighed: WeightChanged) => void,
  signal: AbortSignal,
): Promise<Drained> {
  if (!force) await refuseUnset(registry, selection)
  const weighed = await registry.setWeight(selection, { kind: 'set', weight: 0 }, { force })
  const [change] = weighed.changes
  if (!change) throw new DiscoError('INTERNAL', 'A weight was changed, and none was told')
  onWeighed(weighed)
  const end = await pass(registry, change.endpoint, graceMs, signal)
  if (end !== 'over') return { ...end, weighed }
  const { service, key: addr } = change.endpoint
  const { revision } = await registry.unregister({ service, addr }, signal)
  return { revision, weighed, end: 'unregistered' }
}

/** Where nobody has set a weight, 0 is what all have: it would keep nothing away. */
async function refuseUnset(registry: Registry, selection: EndpointSelection): Promise<void> {
  const { service } = selection
  const { endpoints } = await registry.listExisting(service)
  selectEndpoints(endpoints, selection)
  if (!weightsAreUnset(endpoints)) return
  throw new DiscoError('CONFLICT', `${service} has no weights, so weight 0 drains nothing`, {
    suggestions: [`Give all a weight first: disco weight ${service} --all 1`, 'Or say --force'],
  })
}

/** Waits, and looks what becomes of the key meanwhile. */
async function pass(
  registry: Registry,
  { service, key }: Endpoint,
  graceMs: number,
  signal: AbortSignal,
): Promise<'over' | Pick<Drained, 'revision' | 'end'>> {
  let snapshot = EMPTY_SNAPSHOT
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(), graceMs)
  try {
    for await (const update of registry.follow(service, AbortSignal.any([signal, over.signal]))) {
      if (update.type === 'stale') continue
      snapshot = apply(snapshot, update)
      const { revision } = snapshot
      const [now] = snapshot.byKey.get(key) ?? []
      if (!now) return { revision, end: 'gone' }
      if (now.weight === 0) continue
      throw new DiscoError('CONFLICT', `${key} was given weight ${now.weight}: it is not drained any more`, {
        suggestions: ['Whoever gave it wants it in rotation; ask, and drain again'],
      })
    }
  } finally {
    clearTimeout(timer)
  }
  return signal.aborted ? { revision: snapshot.revision, end: 'interrupted' } : 'over'
}
