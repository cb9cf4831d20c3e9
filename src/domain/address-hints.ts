import { type Address, isLoopback, readAddress } from './address.js'
import type { Endpoint } from './endpoint.js'
import type { Hint } from './layouts/layout.js'

/**
 * Matches the start of an address that other machines may be unable to dial. This cheap test excludes most addresses,
 * which then need not be parsed.
 */
const SUSPICIOUS = /^(?:127\.|localhost:|\[::1\]|0\.0\.0\.0:|\[::\]|:)/i

/** Hosts that mean all interfaces: a server can listen there, but a client cannot dial them. */
const UNSPECIFIED = new Set(['', '0.0.0.0', '::'])

/**
 * Hints by endpoint, if clients on other machines cannot dial its address, or if other keys have the same address.
 *
 * @param service every endpoint of one service
 * @param isShared whether an etcd member is on another machine, so that clients may be on other machines too
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
 * A hint on the host of a TCP address. Null if clients can dial the host, if the address is invalid, and for a Unix
 * socket.
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
