import type { StatedKey } from '../file/keys.js'
import type { ApplyPlan } from './plan.js'
import type { KeyPlan } from './plan-key.js'

/** Keys that one registration holds: of one service in one layout, with one TTL. */
export interface KeysToHold {
  readonly ttlSeconds: number
  readonly keys: readonly [StatedKey, ...StatedKey[]]
}

/** The TTL of a lease where neither the file nor the layout has one. */
const DEFAULT_TTL_SECONDS = 10

/**
 * The keys of a plan that had a lease, in groups that share one. A key that has a lease already is in a group
 * of that lease: the lease may be of an apply that was killed, and lapse.
 *
 * @param ttlSeconds the TTL of all; undefined for that of each key
 */
export function keysToHold({ changes, same }: ApplyPlan, ttlSeconds: number | undefined): KeysToHold[] {
  const groups = new Map<string, { ttlSeconds: number; keys: [StatedKey, ...StatedKey[]] }>()
  for (const { service, layout, stated, current } of [...changes, ...same].filter(isHeld)) {
    if (stated === null) continue
    const own = stated.grantedTtlSeconds ?? (layout.defaultTtlSeconds || DEFAULT_TTL_SECONDS)
    const ttl = ttlSeconds ?? own
    const id = JSON.stringify([layout.prefix(service), ttl, current?.lease ?? null])
    const group = groups.get(id)
    if (group) group.keys.push(stated)
    else groups.set(id, { ttlSeconds: ttl, keys: [stated] })
  }
  return [...groups.values()]
}

/** A key without a lease stays as it is: nothing waits for its end. */
function isHeld({ stated, current }: KeyPlan): boolean {
  return stated?.leased === true && (current === null || current.lease !== null)
}
