import type { Endpoint, Revision } from '../domain/endpoint.js'
import { ALL_ENDPOINTS, type EndpointFilter } from '../domain/endpoint-filter.js'
import { DiscoError } from '../domain/errors.js'
import { isWeightless } from '../domain/layouts/index.js'
import { LiveSnapshot } from '../domain/live-snapshot.js'
import { formatSelector } from '../domain/selector.js'
import { weightsAreUnset } from '../domain/shares.js'
import { shellWord } from '../domain/shell-word.js'
import type { Registry } from '../registry/registry.js'
import { chooseRemoval, type EndpointSelection, isBulk, selectEndpoints } from '../registry/selection.js'
import type { Unregistered } from '../registry/unregister.js'
import type { WeightChanged } from '../registry/weight.js'

export interface DrainRequest {
  readonly selection: EndpointSelection
  /** How long the weight is 0 before the key is deleted. */
  readonly graceMs: number
  /**
   * Whether to drain even if no weight above 0 remains, so that the service's weights count as unset. If no weight can be
   * set, the key is then deleted at once.
   */
  readonly force: boolean
}

export interface DrainReports {
  /** Called once the weight is 0. */
  onWeightSet(weighed: WeightChanged): void
  /** Called with `force` if no weight can be set: the key is deleted without a grace period. */
  onWeightFailed(cause: DiscoError): void
}

export interface DrainResult {
  readonly revision: Revision
  /** All endpoints under the keys. `from`: the weight before the drain; null if it could not be read. */
  readonly endpoints: readonly { readonly endpoint: Endpoint; readonly from: number | null }[]
  /** `gone`: another client deleted the key meanwhile. `interrupted`: still registered, at weight 0. */
  readonly end: 'unregistered' | 'gone' | 'interrupted'
  /** The error that prevented checking whether a registrar puts the key back. */
  readonly returnUnknown?: DiscoError
}

/**
 * Drains endpoints of a service: sets weight 0, so that clients send no new calls; waits, so that they finish pending
 * ones; then deletes the keys.
 *
 * @param signal interrupts the wait, and leaves the endpoints registered at weight 0
 * @throws DiscoError NOT_FOUND; CONFLICT when the drain would turn the weights off, when the endpoint gets a weight
 * meanwhile, or when its registrar puts the key back
 */
export async function drain(
  registry: Registry,
  { selection, graceMs, force }: DrainRequest,
  reports: DrainReports,
  signal: AbortSignal,
): Promise<DrainResult> {
  let weighed: WeightChanged
  try {
    await refuseWithoutEffect(registry, selection, force)
    weighed = await registry.setWeight(selection, { kind: 'set', weight: 0 }, { force, drained: true })
  } catch (thrown) {
    const cause = DiscoError.from(thrown)
    if (!force || !mayBeRemoved(cause)) throw cause
    reports.onWeightFailed(cause)
    const unregistered = await registry.unregister(selection, { endWait: signal })
    const endpoints = unregistered.removed.map((endpoint) => ({ endpoint, from: endpoint.weight }))
    return { endpoints, ...endOf(unregistered) }
  }
  const [change] = weighed.changes
  if (!change) throw new DiscoError('INTERNAL', 'A weight change without an endpoint')
  reports.onWeightSet(weighed)
  const { service } = change.endpoint
  const endpoints = weighed.changes.map(({ endpoint, from }) => ({ endpoint, from }))
  const drained = new Set(endpoints.map(({ endpoint }) => endpoint.key))
  const end = await passGrace(registry, service, drained, graceMs, signal)
  if ('end' in end) return { ...end, endpoints }
  const keys = [...end.remaining]
  // An operator may have restored the weight at the last moment.
  const removal = { service, addr: null, keys, filter: AT_WEIGHT_0 }
  const unregistered = await registry.unregister(removal, { endWait: signal }).catch((error: unknown) => {
    // Before the removal was sent.
    if (signal.aborted && error === signal.reason) return null
    throw error
  })
  if (unregistered === null) return { revision: weighed.revision, endpoints, end: 'interrupted' }
  const [kept] = unregistered.leftOut
  if (!kept) return { endpoints, ...endOf(unregistered) }
  const others = keys.length > 1 ? ['The other endpoints of the drain are unregistered'] : []
  throw backInRotation(kept.key, kept.weight, others)
}

const AT_WEIGHT_0 = { ...ALL_ENDPOINTS, select: [{ op: '=', name: 'weight', value: '0' }] } as const

function endOf({ revision, removed, returnUnknown }: Unregistered): Omit<DrainResult, 'endpoints'> {
  const end = removed.length > 0 ? 'unregistered' : 'gone'
  return returnUnknown ? { revision, end, returnUnknown } : { revision, end }
}

/** Whether a key can be deleted although its weight cannot be set: etcd out of space still accepts deletions. */
function mayBeRemoved({ code, reason }: DiscoError): boolean {
  return code === 'CONFLICT' || code === 'ETCD_DENIED' || (code === 'ETCD_UNREACHABLE' && reason !== null)
}

/** What a drain would do: set weights, or, with `force` if no weight can be set, delete the keys at once. */
export type DrainPlan =
  | { readonly revision: Revision; readonly weighed: WeightChanged }
  | { readonly revision: Revision; readonly weighed: null; readonly removed: readonly Endpoint[] }

/** @throws DiscoError if `drain` would refuse before it changes anything */
export async function planDrain(
  registry: Registry,
  { selection, force }: Omit<DrainRequest, 'graceMs'>,
): Promise<DrainPlan> {
  try {
    await refuseWithoutEffect(registry, selection, force)
    const options = { force, drained: true, dryRun: true }
    const weighed = await registry.setWeight(selection, { kind: 'set', weight: 0 }, options)
    return { revision: weighed.revision, weighed }
  } catch (thrown) {
    const cause = DiscoError.from(thrown)
    if (!force || !mayBeRemoved(cause)) throw cause
    const { revision, endpoints } = await registry.list(selection.service)
    return { revision, weighed: null, removed: chooseRemoval(endpoints, selection).chosen }
  }
}

/** Refuses a drain without effect: layouts without weights, or a service whose weights are all unset. */
async function refuseWithoutEffect(
  registry: Registry,
  selection: EndpointSelection,
  force: boolean,
): Promise<void> {
  const { service } = selection
  const { endpoints } = await registry.listExisting(service)
  const matches = selectEndpoints(endpoints, selection)
  const weightless = matches.filter(({ layout }) => isWeightless(layout))
  // A bulk selection leaves out endpoints without a weight, unless it has no others.
  const isRefused = !isBulk(selection) || weightless.length === matches.length
  if (weightless.length > 0 && isRefused) throw cannotBeDrained(selection, weightless)
  if (force || !weightsAreUnset(endpoints)) return
  throw new DiscoError('CONFLICT', `${service} has no weights, so weight 0 drains nothing`, {
    suggestions: [`Give all a weight first: disco weight ${service} --all 1`, 'Or use --force'],
  })
}

/** For more addresses than this, a hint gives the conditions that select them. */
const MAX_NAMED = 5

function cannotBeDrained(selection: EndpointSelection, weightless: readonly Endpoint[]): DiscoError {
  const { service, filter } = selection
  const layouts = [...new Set(weightless.map(({ layout }) => layout))]
  const addrs = [...new Set(weightless.map(({ addr }) => addr))]
  const carry = layouts.length === 1 ? 'layout' : 'layouts'
  const conditions = isBulk(selection) && filter ? conditionWords(filter) : []
  const isShort = addrs.length <= MAX_NAMED || conditions.length === 0
  const which = (isShort ? addrs : conditions).map(shellWord)
  const name = addrs.length === 1 ? `${service} ${addrs[0]}` : service
  return new DiscoError(
    'CONFLICT',
    `${name} cannot be drained: the ${carry} ${layouts.join(', ')} ${layouts.length === 1 ? 'carries' : 'carry'} no weight`,
    {
      suggestions: [
        `Remove ${addrs.length === 1 ? 'it' : 'them'} at once: disco unregister ${shellWord(service)} ${which.join(' ')}`,
        'Or add --force: endpoints without a weight are removed at once, the others are drained',
      ],
    },
  )
}

function conditionWords({ select, host }: EndpointFilter): string[] {
  return [
    ...(select.length === 0 ? [] : ['-l', formatSelector(select)]),
    ...(host === null ? [] : ['--host', host]),
  ]
}

/** Waits for the end of the grace period and watches the keys. @returns the keys that still exist */
async function passGrace(
  registry: Registry,
  service: string,
  keys: ReadonlySet<string>,
  graceMs: number,
  signal: AbortSignal,
): Promise<{ readonly remaining: ReadonlySet<string> } | Pick<DrainResult, 'revision' | 'end'>> {
  const remaining = new Set(keys)
  const snapshot = new LiveSnapshot()
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(), graceMs)
  try {
    for await (const update of registry.follow(service, AbortSignal.any([signal, over.signal]))) {
      if (update.type === 'stale') continue
      snapshot.apply(update)
      const { revision } = snapshot
      for (const key of remaining) {
        const [now] = snapshot.byKey.get(key) ?? []
        if (!now) remaining.delete(key)
        else if (now.weight > 0) {
          throw backInRotation(key, now.weight, keys.size > 1 ? [OTHERS_STAY] : [])
        }
      }
      if (remaining.size === 0) return { revision, end: 'gone' }
    }
  } finally {
    clearTimeout(timer)
  }
  return signal.aborted ? { revision: snapshot.revision, end: 'interrupted' } : { remaining }
}

const OTHERS_STAY = 'The other endpoints of the drain stay registered, at weight 0'

function backInRotation(key: string, weight: number, others: readonly string[]): DiscoError {
  return new DiscoError(
    'CONFLICT',
    `${key} was given weight ${weight} during the drain, and stays registered`,
    {
      suggestions: ['Another client put it back into rotation: ask its owner, then drain again', ...others],
    },
  )
}

/**
 * Restores the weight of a drained endpoint from etcd's history.
 *
 * @param options `dryRun`: computes the change, and writes nothing
 * @returns null if it is not drained
 * @throws DiscoError NOT_FOUND when it is not registered; CONFLICT when etcd's history no longer has the weight
 */
export async function undoDrain(
  registry: Registry,
  selection: EndpointSelection,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
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
  // `force`: a drain that needed --force can be undone too.
  return await registry.setWeight(
    { service, addr: endpoint.key },
    { kind: 'restore', weight },
    { force: true, dryRun },
  )
}
