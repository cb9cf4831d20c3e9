import type { Revision } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import { isUnknownLease } from '../../etcd/errors.js'
import { keepAlive } from '../../etcd/keep-alive.js'
import { type GrantedLease, grantLease } from '../../etcd/lease.js'
import type { Registry } from '../registry.js'
import { batchesOf } from './batches.js'
import type { ApplyPlan, ApplyRules } from './plan.js'
import type { KeyPlan } from './plan-key.js'
import { type KeyOutcome, writeBatch } from './write-batch.js'

/** Progress reports of an apply. */
export interface ApplyReports {
  /** Called after each transaction. */
  readonly onWritten?: (outcomes: readonly KeyOutcome[]) => void
}

/** The result of an apply. */
export interface ApplyResult {
  /**
   * A revision at which all keys with the outcome `done` or `already` have their new state; the plan's revision if there
   * are none.
   */
  readonly revision: Revision
  readonly outcomes: readonly KeyOutcome[]
  /** Changes that were not attempted, because the apply was interrupted. */
  readonly open: readonly KeyPlan[]
}

/** Signals that end an apply early. */
export interface ApplySignals {
  /** Ends it between two transactions. */
  readonly stop?: AbortSignal
  /** Ends it at once. The outcome of a transaction that was sent is then unknown. */
  readonly hurry?: AbortSignal
}

/**
 * Makes the changes of a plan, in transactions that etcd refuses if a key was written since the plan. Each key is
 * written once and completely, so an apply that was killed can be completed by another one.
 *
 * @throws DiscoError OUTCOME_UNKNOWN, ETCD_UNREACHABLE, ETCD_DENIED; CONFLICT if other clients keep writing, or the lease
 *   of added keys ends meanwhile
 */
export async function applyPlan(
  registry: Registry,
  plan: ApplyPlan,
  rules: ApplyRules,
  { onWritten }: ApplyReports = {},
  { stop, hurry }: ApplySignals = {},
): Promise<ApplyResult> {
  const { client } = registry.internals({ signal: hurry })
  const changes = plan.changes.filter((change) => !isToHold(change, rules))
  const outcomes: KeyOutcome[] = []
  let revision = plan.revision
  const needsLease = changes.some(({ op, stated }) => op === 'add' && stated?.leased)
  const lease =
    needsLease && typeof rules.leased === 'object' ? await grantLease(client, rules.leased.ttlSeconds) : null
  const written = new AbortController()
  // Otherwise the lease could expire before the last transaction.
  if (lease) void keepAlive(client, lease, {}, written.signal)
  const open = new Map(changes.map((change) => [change.key, change]))
  try {
    for (const batch of batchesOf(changes)) {
      if (stop?.aborted) break
      const batchRules = { force: rules.force, lease: lease?.id ?? null, signal: hurry }
      for await (const ended of writeBatch(client, batch, plan.revision, batchRules)) {
        for (const outcome of ended) {
          outcomes.push(outcome)
          open.delete(outcome.plan.key)
          if (outcome.end !== 'moved') revision = Math.max(revision, outcome.revision)
        }
        onWritten?.(ended)
      }
    }
  } catch (error) {
    throw lease && error instanceof DiscoError && isUnknownLease(error.cause)
      ? leaseEnded(lease, error)
      : error
  } finally {
    written.abort()
    const isUsed = outcomes.some(({ end }) => end === 'done')
    if (lease && !isUsed) await revokeUnused(registry, lease)
  }
  return { revision, outcomes, open: [...open.values()] }
}

function leaseEnded({ id, ttlSeconds }: GrantedLease, cause: DiscoError): DiscoError {
  return new DiscoError(
    'CONFLICT',
    `The lease of the added keys, ${id}, has ended, and etcd removes them with it`,
    {
      cause,
      suggestions: [
        `It was revoked, or not renewed for ${ttlSeconds}s. Repeat the command to add the keys again`,
      ],
    },
  )
}

/** Whether this process holds the key as a registration, instead of writing it in a transaction. */
export function isToHold({ op, stated }: KeyPlan, { leased }: ApplyRules): boolean {
  return leased === 'hold' && op === 'add' && stated?.leased === true
}

/**
 * Revokes a lease under which no write is known to have succeeded. If a write of unknown outcome did succeed, its keys
 * are removed, as they would be when the lease expires.
 */
async function revokeUnused(registry: Registry, lease: GrantedLease): Promise<void> {
  await registry
    .internals()
    .client.leaseRevoke(lease.id)
    .catch(() => undefined)
}
