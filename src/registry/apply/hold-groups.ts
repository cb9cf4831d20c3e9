import type { StatedKey } from '../file/keys.js'
import type { ApplyPlan } from './plan.js'
import type { KeyPlan } from './plan-key.js'

/** Keys that one registration holds. They have the same service, layout and TTL. */
export interface KeysToHold {
  readonly ttlSeconds: number
  readonly keys: readonly [StatedKey, ...StatedKey[]]
}

/** The TTL of a lease if neither the file nor the layout has one. */
const DEFAULT_TTL_SECONDS = 10

/**
 * The keys of a plan that had a lease when they were exported, in groups that get one new lease each. Keys that share a
 * lease in etcd are in one group: if it is the lease of a killed apply, they all become free when it expires.
 *
 * @param ttlSeconds the TTL of all leases; undefined for the TTL that the file or the layout has
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

/** An existing key without a lease is not held: it never expires, so holding it would wait forever. */
function isHeld({ stated, current }: KeyPlan): boolean {
  return stated?.leased === true && (current === null || current.lease !== null)
}
