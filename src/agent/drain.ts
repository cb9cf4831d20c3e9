import type { Endpoint, Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { findLayout } from '../domain/layouts/index.js'
import { weightsAreUnset } from '../domain/shares.js'
import { apply, EMPTY_SNAPSHOT } from '../domain/snapshot.js'
import type { Registry } from '../registry/registry.js'
import { type EndpointSelection, selectEndpoints } from '../registry/selection.js'
import type { Unregistered } from '../registry/unregister.js'
import type { WeightChanged } from '../registry/weight.js'

export interface DrainRequest {
  readonly selection: EndpointSelection
  /** How long the weight is 0 before the key goes. */
  readonly graceMs: number
  /** Even where it turns the weights off, and where no weight can be set: then the key goes at once. */
  readonly force: boolean
}

export interface DrainReports {
  /** The weight is 0 from here on. */
  onWeighed(weighed: WeightChanged): void
  /** With `force`: no weight can be set, so the key is removed without a grace. */
  onUnweighed(cause: DiscoError): void
}

export interface Drained {
  readonly revision: Revision
  /** Every address under the key, with the weight from before; null where that cannot be read. */
  readonly endpoints: readonly { readonly endpoint: Endpoint; readonly from: number | null }[]
  /** Gone: somebody else removed the key meanwhile. Interrupted: it is registered still, at weight 0. */
  readonly end: 'unregistered' | 'gone' | 'interrupted'
  /** Unregistered, but why it is not known whether a registrar puts the key back. */
  readonly returnUnknown?: DiscoError
}

/**
 * Weight 0, so that clients send nothing new; a while, so that they finish what they sent; then the key goes.
 *
 * @throws DiscoError NOT_FOUND; CONFLICT when it would turn the weights off, when somebody gives the endpoint
 *   a weight meanwhile, or its registrar puts it back
 */
export async function drain(
  registry: Registry,
  { selection, graceMs, force }: DrainRequest,
  tell: DrainReports,
  signal: AbortSignal,
): Promise<Drained> {
  let weighed: WeightChanged
  try {
    await refuseUseless(registry, selection, force)
    weighed = await registry.setWeight(selection, { kind: 'set', weight: 0 }, { force })
  } catch (thrown) {
    const cause = DiscoError.from(thrown)
    if (!force || !mayBeRemoved(cause)) throw cause
    tell.onUnweighed(cause)
    const unregistered = await registry.unregister(selection, signal)
    const endpoints = unregistered.removed.map((endpoint) => ({ endpoint, from: endpoint.weight }))
    return { endpoints, ...endOf(unregistered) }
  }
  const [change] = weighed.changes
  if (!change) throw new DiscoError('INTERNAL', 'A weight was changed, and none was told')
  tell.onWeighed(weighed)
  const end = await pass(registry, change.endpoint, graceMs, signal)
  const endpoints = weighed.changes.map(({ endpoint, from }) => ({ endpoint, from }))
  if (end !== 'over') return { ...end, endpoints }
  const { service, key: addr } = change.endpoint
  return { endpoints, ...endOf(await registry.unregister({ service, addr }, signal)) }
}

function endOf({ revision, removed, returnUnknown }: Unregistered): Omit<Drained, 'endpoints'> {
  const end = removed.length > 0 ? 'unregistered' : 'gone'
  return returnUnknown ? { revision, end, returnUnknown } : { revision, end }
}

/** A key that cannot be weighed can be removed all the same: etcd takes deletions when it is out of space. */
function mayBeRemoved({ code, reason }: DiscoError): boolean {
  return code === 'CONFLICT' || code === 'ETCD_DENIED' || (code === 'ETCD_UNREACHABLE' && reason !== null)
}

/** Weight 0 keeps nothing away where there is no place for it, or where nobody has set a weight. */
async function refuseUseless(
  registry: Registry,
  selection: EndpointSelection,
  force: boolean,
): Promise<void> {
  const { service, addr } = selection
  const { endpoints } = await registry.listExisting(service)
  const [endpoint] = selectEndpoints(endpoints, selection)
  const layout = endpoint && findLayout(endpoint.layout)
  if (layout && layout.weightless !== null) {
    const why = `the layout ${layout.name} carries no weight`
    throw new DiscoError('CONFLICT', `${service} ${addr} cannot be drained: ${why}`, {
      suggestions: [`Take it out at once: disco unregister ${service} ${addr}`],
    })
  }
  if (force || !weightsAreUnset(endpoints)) return
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

/**
 * Gives a drained endpoint the weight that it had, as etcd's history has it.
 *
 * @returns null where it has a weight already
 * @throws DiscoError NOT_FOUND, also when it is not registered any more; CONFLICT when nobody knows the weight
 */
export async function undoDrain(
  registry: Registry,
  selection: EndpointSelection,
): Promise<WeightChanged | null> {
  const { service } = selection
  const { endpoints } = await registry.listExisting(service)
  const [endpoint] = selectEndpoints(endpoints, selection)
  if (!endpoint || endpoint.weight > 0) return null
  const weight = await registry.lastWeight(endpoint)
  if (weight === null) {
    const { addr } = endpoint
    throw new DiscoError('CONFLICT', `etcd's history has no other weight of ${addr}, or no longer has it`, {
      suggestions: [`Give it one: disco weight ${service} ${addr} 1`],
    })
  }
  // What it had was in order: whoever drained it by force should be able to undo that.
  return await registry.setWeight(
    { service, addr: endpoint.key },
    { kind: 'restore', weight },
    { force: true },
  )
}
