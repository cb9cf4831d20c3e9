import { type Endpoint, isReadable } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { Reader } from '../domain/layouts/reader.js'
import { effectiveWeight, weightsAreUnset } from '../domain/shares.js'
import { changeWeight, unboundedWeight, type WeightChange } from '../domain/weight.js'
import type { EtcdClient } from '../etcd/client.js'
import type { ExpectedRevision } from '../etcd/guarded-write.js'
import { listEndpoints } from './listing.js'
import type { Targets } from './weight-targets.js'

/**
 * Finds a key that keeps a weight above 0 while the keys `writing` are written: a key that is not changed, or whose
 * change leaves a weight above 0.
 *
 * @throws DiscoError CONFLICT without such a key
 */
export type FindWeightedKey = (request: {
  /** Whether a transaction was refused, so that the service must be listed again. */
  isRetry: boolean
  writing: ReadonlySet<string>
}) => Promise<ExpectedRevision>

/**
 * The guard of a transaction that drains endpoints: it succeeds only if another key, with a weight above 0, is unchanged.
 * Without it, two clients could each drain their own endpoints because the other's still have a weight.
 *
 * @param isSettled whether this change has written the key already, or does not change it
 */
export function weightedKeyFor(
  client: EtcdClient,
  reader: Reader,
  { service, selected }: Targets,
  change: WeightChange,
  isSettled: (key: string) => boolean,
): FindWeightedKey {
  const keys = new Set(selected.map((endpoint) => endpoint.key))
  const name = selected[0]?.service ?? ''
  let listed = service
  return async ({ isRetry, writing }) => {
    if (isRetry) listed = (await listEndpoints(client, reader, name)).endpoints
    const keepsWeight = (endpoint: Endpoint) => {
      if (writing.has(endpoint.key) || effectiveWeight(endpoint, false) === 0) return false
      const isStillToChange = keys.has(endpoint.key) && !isSettled(endpoint.key)
      return !isStillToChange || unboundedWeight(endpoint.weight, change) > 0
    }
    const weighted = listed.find(keepsWeight)
    if (!weighted) throw drainsTheLast(name)
    return { key: weighted.key, revision: weighted.modRevision }
  }
}

/**
 * Refuses to turn weights on or off by accident: weight 0 everywhere means that weights are unset.
 *
 * @throws DiscoError CONFLICT
 */
export function refuseUnsetChange({ service, selected }: Targets, change: WeightChange): void {
  const keys = new Set(selected.map((endpoint) => endpoint.key))
  const name = selected[0]?.service ?? ''
  const after = service.map((endpoint) =>
    keys.has(endpoint.key) && isReadable(endpoint)
      ? { ...endpoint, weight: changeWeight(endpoint.weight, change) }
      : endpoint,
  )
  refuseTurnedWeights(name, { before: service, after, untouched: after })
}

type Weighted = Pick<Endpoint, 'weight' | 'problem'>

/** The endpoints of a service before and after a change. */
interface Turn {
  readonly before: readonly Weighted[]
  readonly after: readonly Weighted[]
  /** Endpoints of `after` that must not lose their traffic because others get a weight. */
  readonly untouched: readonly Weighted[]
}

/**
 * Refuses a change that would turn weights on and so drain other endpoints, or that would turn weights off.
 *
 * @throws DiscoError CONFLICT
 */
export function refuseTurnedWeights(service: string, { before, after, untouched }: Turn): void {
  const isUnset = weightsAreUnset(before)
  const willBeUnset = weightsAreUnset(after)
  if (isUnset && !willBeUnset) {
    const drained = untouched.filter(
      (endpoint) => endpoint.problem === null && effectiveWeight(endpoint, false) === 0,
    )
    if (drained.length === 0) return
    throw new DiscoError(
      'CONFLICT',
      `${service} has no weights yet: a first one would drain the other ${drained.length} endpoints`,
      { suggestions: [`Give all a weight first: disco weight ${service} --all 1`, 'Or add --force'] },
    )
  }
  const hadWeights = !isUnset && before.some(({ problem }) => problem === null)
  if (hadWeights && willBeUnset) throw drainsTheLast(service)
}

/**
 * Refuses a percentage of weight 0, which would change nothing.
 *
 * @throws DiscoError CONFLICT
 */
export function refusePercentOfZero({ service, selected }: Targets, change: WeightChange): void {
  if (change.kind !== 'scale') return
  const drained = selected.find((endpoint) => endpoint.weight === 0 && isReadable(endpoint))
  if (!drained) return
  const others = service.filter(({ key, problem }) => key !== drained.key && problem === null)
  const total = others.reduce((sum, { weight }) => sum + weight, 0)
  const fraction = change.percent / 100
  const weightForShare = Math.round((fraction * total) / (1 - fraction))
  const command = `disco weight ${drained.service} ${drained.addr}`
  const isAShare = fraction < 1 && weightForShare >= 1
  throw new DiscoError(
    'CONFLICT',
    `${drained.addr} has weight 0, and ${change.percent}% of 0 is 0: a percentage is of the endpoint's own weight`,
    {
      suggestions: [
        isAShare
          ? `For a share of about ${change.percent}% of the service: ${command} ${weightForShare}`
          : `Set a weight: ${command} 1`,
      ],
    },
  )
}

function drainsTheLast(service: string): DiscoError {
  return new DiscoError(
    'CONFLICT',
    `This would drain the last weighted endpoint of ${service}, which turns the weights off: all would get equal shares`,
    { suggestions: ['To continue anyway, add --force'] },
  )
}
