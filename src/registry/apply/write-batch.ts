import { setTimeout as delay } from 'node:timers/promises'
import type { LeaseId, Revision } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import type { EtcdClient } from '../../etcd/client.js'
import { faultOf } from '../../etcd/error-texts.js'
import { type Write, writeIfUnchanged } from '../../etcd/guarded-write.js'
import type { KeyValue } from '../../etcd/pairs.js'
import { readKeys } from '../../etcd/range.js'
import { Backoff, type BackoffLimits } from '../../net/backoff.js'
import type { Batch } from './batches.js'
import { type Force, type KeyPlan, planKey } from './plan-key.js'

/** How one planned change ended. */
export interface KeyOutcome {
  readonly plan: KeyPlan
  /**
   * `done`: written by this apply. `already`: another client has made the same change. `moved`: another client has
   * changed the key since the plan, so this apply did not change it.
   */
  readonly end: 'done' | 'already' | 'moved'
  /** The revision of the transaction that wrote the key; otherwise, of the read that found the other change. */
  readonly revision: Revision
}

export interface BatchRules extends Force {
  /** The lease for added keys that had a lease; null if there are no such keys. */
  readonly lease: LeaseId | null
  readonly signal: AbortSignal | undefined
}

/** Maximum number of attempts while other clients write the same keys; each begins with a fresh read. */
const MAX_TRIES = 20
const CONFLICT_BACKOFF: BackoffLimits = { firstMs: 10, maxMs: 200 }

/**
 * Makes the changes of a batch in one transaction, which etcd refuses if one of the keys was written since it was read.
 * If it refuses, changes of keys whose values are still the same are attempted again. The other keys are not written, and
 * their outcome is `already` or `moved`.
 *
 * @param readAt the revision at which the batch was read
 * @returns outcomes as soon as they are known: if a transaction fails, the caller has those of the earlier ones
 * @throws DiscoError OUTCOME_UNKNOWN; CONFLICT if other clients keep writing
 */
export async function* writeBatch(
  client: EtcdClient,
  batch: Batch,
  readAt: Revision,
  rules: BatchRules,
): AsyncGenerator<KeyOutcome[], void, void> {
  let open: readonly KeyPlan[] = batch
  let at = readAt
  const backoff = new Backoff(CONFLICT_BACKOFF)
  for (let attempt = 1; attempt <= MAX_TRIES; attempt++) {
    const [first, ...rest] = open.map((plan) => writeOf(plan, at, rules))
    if (!first) return
    const outcome = await writeIfUnchanged(client, [first, ...rest]).catch((error: unknown) => {
      // A cluster may allow fewer operations in a transaction than etcd's default (`--max-txn-ops`).
      if (faultOf(error) !== 'too-many-operations' || open.length === 1) throw error
      return null
    })
    if (outcome === null) {
      yield* inHalves(client, open, at, rules)
      return
    }
    const { revision } = outcome
    if (outcome.done) {
      yield open.map((plan) => ({ plan, end: 'done', revision }))
      return
    }
    const { kvs, revision: now } = await readKeys(
      client,
      open.map(({ key }) => key),
    )
    const again: KeyPlan[] = []
    const ended: KeyOutcome[] = []
    for (const [index, plan] of open.entries()) {
      const next = planAgain(plan, kvs[index] ?? null, rules)
      if (typeof next === 'string') ended.push({ plan, end: next, revision: now })
      else again.push(next)
    }
    yield ended
    open = again
    at = now
    await delay(backoff.next(), undefined, { signal: rules.signal })
  }
  throw new DiscoError(
    'CONFLICT',
    `Other clients keep writing keys of ${open[0]?.service}: ${MAX_TRIES} tries`,
  )
}

async function* inHalves(
  client: EtcdClient,
  plans: readonly KeyPlan[],
  at: Revision,
  rules: BatchRules,
): AsyncGenerator<KeyOutcome[], void, void> {
  const middle = Math.ceil(plans.length / 2)
  for (const [first, ...rest] of [plans.slice(0, middle), plans.slice(middle)]) {
    if (first) yield* writeBatch(client, [first, ...rest], at, rules)
  }
}

function writeOf({ op, key, current, stated, value }: KeyPlan, at: Revision, { lease }: BatchRules): Write {
  const seen = { key, revision: current?.modRevision ?? 0, at }
  // An existing key keeps its own lease.
  return op === 'add' ? { seen, value, lease: stated?.leased ? lease : null } : { seen, value }
}

/** The change based on a fresh read, to be attempted again; otherwise the outcome of the key. */
function planAgain(plan: KeyPlan, now: KeyValue | null, rules: Force): KeyPlan | 'already' | 'moved' {
  const { current, stated } = plan
  if (now?.modRevision === current?.modRevision) return plan
  const isSameValue = now !== null && current !== null && now.value.equals(current.value)
  if (stated === null) {
    if (now === null) return 'already'
    const isFree = now.lease === null || rules.force || now.lease === current?.lease
    return isSameValue && isFree ? { ...plan, current: now } : 'moved'
  }
  if (isSameValue) return { ...plan, current: now }
  if (now === null) return 'moved'
  try {
    return planKey(stated, now, rules).op === 'same' ? 'already' : 'moved'
  } catch (error) {
    if (error instanceof DiscoError && error.code === 'CONFLICT') return 'moved'
    throw error
  }
}
