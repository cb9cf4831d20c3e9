import { setTimeout as delay } from 'node:timers/promises'
import type { Abortable } from '../../domain/abortable.js'
import type { Endpoint, Revision } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import { type PlannedWeights, planShares, type SharePart } from '../../domain/share-plan.js'
import { shareWithin } from '../../domain/shares.js'
import type { AtomicOutcome } from '../../etcd/atomic-write.js'
import { Backoff, type BackoffLimits } from '../../net/backoff.js'
import { explainUnknown } from '../etcd-refusals.js'
import type { EndpointList } from '../listing.js'
import type { Registry } from '../registry.js'
import { listKeys, writeWeights } from './weights.js'

/** One endpoint's weight and share, before and after. */
export interface ShiftChange {
  readonly endpoint: Endpoint
  readonly from: number
  readonly to: number
  readonly shareFraction: { readonly from: number; readonly to: number }
}

/** The result of a shift; with `dryRun` the planned result. */
export interface ShiftResult {
  /** The revision of the transaction; of the list if nothing was written. */
  readonly revision: Revision
  /** The list from which the weights were computed. */
  readonly before: EndpointList
  /** One change for each dialable endpoint, even if its weight stays the same. */
  readonly changes: readonly ShiftChange[]
  readonly written: boolean
}

export interface ShiftOptions extends Abortable {
  readonly dryRun?: boolean
  /** Expected weights by key. If a listed key has another weight, another client has changed it: CONFLICT. */
  readonly expect?: ReadonlyMap<string, number>
  /** Called before each transaction. If its answer is lost, these weights may have been written. */
  readonly onSend?: (before: EndpointList, weights: PlannedWeights) => void
}

/** Maximum number of attempts while other clients write the same keys; each begins with a fresh read. */
const MAX_TRIES = 20
const CONFLICT_BACKOFF: BackoffLimits = { firstMs: 25, maxMs: 500 }

/**
 * Sets the weights that give each part its share, in one transaction. If another client writes a key of the service
 * between the read and the transaction, the weights are computed again from a fresh read.
 *
 * @throws DiscoError as `planShares`; CONFLICT if every attempt failed because of other clients, or `expect` does not
 *   match; OUTCOME_UNKNOWN
 */
export function shiftShares(
  registry: Registry,
  service: string,
  parts: readonly SharePart[],
  options: ShiftOptions = {},
): Promise<ShiftResult> {
  return changeWeights(registry, service, ({ endpoints }) => planShares(endpoints, parts), options)
}

/**
 * Sets the weights of a plan in one transaction.
 *
 * @param plan computes the weights from a fresh list; called again after each conflict
 */
export async function changeWeights(
  registry: Registry,
  service: string,
  plan: (list: EndpointList) => PlannedWeights | Promise<PlannedWeights>,
  { signal, dryRun = false, expect, onSend }: ShiftOptions = {},
): Promise<ShiftResult> {
  const { client, reader } = registry.internals({ signal })
  const backoff = new Backoff(CONFLICT_BACKOFF)
  for (let attempt = 1; attempt <= MAX_TRIES; attempt++) {
    const before = await listKeys(client, reader, service)
    if (before.endpoints.length === 0) {
      // Throws NOT_FOUND with similar names.
      await registry.listExisting(service, { signal })
      continue
    }
    if (expect) requireUnchanged(before.endpoints, expect)
    const weights = await plan(before)
    const now = new Map(before.endpoints.map(({ key, weight }) => [key, weight]))
    const isSame = [...weights].every(([key, weight]) => now.get(key) === weight)
    if (isSame || dryRun) return shifted(before, weights, before.revision, false)
    onSend?.(before, weights)
    const outcome: AtomicOutcome = await writeWeights(client, reader, before, weights).catch(
      (error: unknown) => {
        throw explainUnknown(
          error,
          `The weights of ${service} may have been changed`,
          `Check the weights before you try again: disco ls ${service}`,
        )
      },
    )
    if (outcome.done) return shifted(before, weights, outcome.revision, true)
    await delay(backoff.next(), undefined, { signal })
  }
  throw new DiscoError('CONFLICT', `Other clients keep writing keys of ${service}: ${MAX_TRIES} tries`, {
    suggestions: ['Nothing was changed. Repeat the command when the other clients are done'],
  })
}

/** @throws DiscoError CONFLICT */
function requireUnchanged(endpoints: readonly Endpoint[], expected: ReadonlyMap<string, number>): void {
  const changed = endpoints.find(({ key, weight }) => (expected.get(key) ?? weight) !== weight)
  if (!changed) return
  const { addr, weight, key, modRevision } = changed
  throw new DiscoError(
    'CONFLICT',
    `Another client has set the weight of ${addr} from ${expected.get(key)} to ${weight} (rev ${modRevision})`,
  )
}

function shifted(
  before: EndpointList,
  weights: PlannedWeights,
  revision: Revision,
  written: boolean,
): ShiftResult {
  const after = before.endpoints.map((endpoint) => {
    const weight = weights.get(endpoint.key)
    return weight === undefined || weight === endpoint.weight ? endpoint : { ...endpoint, weight }
  })
  const [shareBefore, shareAfter] = [shareWithin(before.endpoints), shareWithin(after)]
  const changes = before.endpoints.flatMap((endpoint, at): ShiftChange[] => {
    const changed = after[at]
    if (!changed || endpoint.problem !== null) return []
    const shareFraction = { from: shareBefore(endpoint), to: shareAfter(changed) }
    return [{ endpoint: changed, from: endpoint.weight, to: changed.weight, shareFraction }]
  })
  return { revision, before, changes, written }
}
