import { type Address, isLoopback, readAddress } from './address.js'
import type { Endpoint } from './endpoint.js'
import type { Hint } from './layouts/layout.js'

/** What starts an address that other machines may be unable to dial: a cheap test before the address is read. */
const SUSPICIOUS = /^(?:127\.|localhost:|\[::1\]|0\.0\.0\.0:|\[::\]|:)/i

/** The address of all interfaces: a server listens there, and no client can dial it. */
const UNSPECIFIED = new Set(['', '0.0.0.0', '::'])

/**
 * Hints on registrations that clients elsewhere cannot dial, or that share an address: by endpoint.
 *
 * @param service every endpoint of one service
 * @param isShared whether other machines use the registry: etcd is not on this machine alone
 */
export function addressHints(
  service: readonly Endpoint[],
  isShared: boolean,
): ReadonlyMap<Endpoint, readonly Hint[]> {
  const usable = service.filter(({ problem }) => problem === null)
  const keysByAddr = new Map<string, string[]>()
  for (const { addr, key } of usable) keysByAddr.set(addr, [...(keysByAddr.get(addr) ?? []), key])
  const isElsewhere =
    isShared || usable.some(({ addr }) => !SUSPICIOUS.test(addr) && !addr.startsWith('unix:'))
  const hints = new Map<Endpoint, readonly Hint[]>()
  for (const endpoint of usable) {
    const { addr, key } = endpoint
    const others = (keysByAddr.get(addr) ?? []).filter((other) => other !== key)
    const hint = SUSPICIOUS.test(addr) ? hostHint(readAddress(addr), isElsewhere) : null
    const found = [...(hint ? [hint] : []), ...(others.length > 0 ? [sharedAddress(others)] : [])]
    if (found.length > 0) hints.set(endpoint, found)
  }
  return hints
}

/**
 * A hint on the host of an address; null for one that clients can dial.
 *
 * @param isElsewhere whether clients may be on other machines
 */
export function hostHint(address: Address | { readonly problem: string }, isElsewhere: boolean): Hint | null {
  if ('problem' in address || address.kind !== 'tcp') return null
  const { host } = address
  if (UNSPECIFIED.has(host)) {
    const text = `${host || 'no host'} means all interfaces of a server: a client would dial its own machine`
    return { code: 'unspecified-address', text }
  }
  if (!isElsewhere || !isLoopback(host)) return null
  return { code: 'loopback-address', text: `${host} can be dialled only on the machine of its server` }
}

function sharedAddress(keys: readonly string[]): Hint {
  const which = keys.length === 1 ? keys[0] : `${keys.length} other keys`
  return { code: 'shared-address', text: `the same address is registered under ${which}` }
}
