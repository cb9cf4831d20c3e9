import { isIP } from 'node:net'
import { readAddress } from '../domain/address.js'
import type { Endpoint } from '../domain/endpoint.js'
import { type Selector, selects } from '../domain/selector.js'
import { effectiveWeight, weightsAreUnset } from '../domain/shares.js'
import type { LookupProgress } from './host-names.js'
import { localityWeights } from './locality-weights.js'

/** A socket as the protocol has it: an IP literal and a port. */
export interface IpSocket {
  readonly ip: string
  readonly port: number
}

/**
 * One endpoint of a service as clients weigh it. Each has a locality of its own, because gRPC clients ignore the weights
 * of endpoints within a locality.
 */
export interface Locality {
  /** The registered address. The same for as long as the endpoint stands: a client connects again for a new name. */
  readonly name: string
  /** Several if a host name has several addresses. */
  readonly sockets: readonly [IpSocket, ...IpSocket[]]
  /** An integer of at least 1. */
  readonly weight: number
  /** Clients use priority 1 if no locality of priority 0 is READY. */
  readonly priority: 0 | 1
}

/** An endpoint that is registered, and that clients do not get. */
export interface Omission {
  readonly endpoint: Endpoint
  /** Whether only its weight is the reason. */
  readonly isDrained: boolean
  /** How far the first lookup of its host name is; `ended` where it has none. */
  readonly lookup: LookupProgress
  /** A clause that follows the address, such as `is drained`. */
  readonly reason: string
}

export interface Assignment {
  readonly localities: readonly Locality[]
  readonly omissions: readonly Omission[]
}

export interface AssignmentSettings {
  /** Those endpoints alone get calls while one of them is READY; null for no canary. */
  readonly canary: Selector | null
  /** The addresses of a host name; none where it cannot be resolved, or has not been yet. */
  readonly ipsOf: (host: string) => readonly string[]
  readonly progressOf: (host: string) => LookupProgress
}

interface Weighted {
  readonly endpoint: Endpoint
  readonly sockets: readonly IpSocket[]
  readonly weight: number
}

interface Placed {
  readonly endpoint: Endpoint
  readonly sockets: readonly IpSocket[]
  weight: number
}

/**
 * The localities of a service, with weights that give each endpoint its share of the whole service. Drained endpoints
 * are left out; if all weights are 0, all endpoints count as equal.
 *
 * @param service all endpoints of the service, all versions
 */
export function assignmentOf(service: readonly Endpoint[], settings: AssignmentSettings): Assignment {
  const unset = weightsAreUnset(service)
  const omissions: Omission[] = []
  const weighted: Weighted[] = []
  for (const endpoint of service) {
    const sockets = socketsOf(endpoint, settings)
    const weight = effectiveWeight(endpoint, unset)
    const isAwaited = 'reason' in sockets && sockets.lookup !== 'ended'
    // Nobody waits for the addresses of a drained endpoint.
    if (weight === 0 && (isAwaited || !('reason' in sockets)))
      omissions.push({ endpoint, isDrained: true, lookup: 'ended', reason: 'is drained' })
    else if ('reason' in sockets) omissions.push({ endpoint, isDrained: false, ...sockets })
    else weighted.push({ endpoint, sockets, weight })
  }
  return { localities: inPriorities(weighted, settings.canary), omissions }
}

/** Priorities have no gap: without a canary that gets calls, all are in the first one. */
function inPriorities(all: readonly Weighted[], canary: Selector | null): Locality[] {
  const chosen: Weighted[] = []
  const rest: Weighted[] = []
  for (const one of all) (canary !== null && selects(canary, one.endpoint) ? chosen : rest).push(one)
  const sockets = new Set<string>()
  const first = merged(chosen, sockets)
  // A socket of the canary under another key as well is in the canary.
  const others = merged(withoutSockets(rest, sockets), sockets)
  if (first.length === 0) return weighed(others, 0)
  return [...weighed(first, 0), ...weighed(others, 1)]
}

function withoutSockets(weighted: readonly Weighted[], taken: ReadonlySet<string>): Weighted[] {
  return weighted.flatMap((one) => {
    const sockets = one.sockets.filter((socket) => !taken.has(socketText(socket)))
    return sockets.length === 0 ? [] : [{ ...one, sockets }]
  })
}

/**
 * Clients reject a whole assignment that has a socket twice, which two keys may share: their weights add up.
 *
 * @param taken gets the sockets
 */
function merged(weighted: readonly Weighted[], taken: Set<string>): Placed[] {
  const placed: Placed[] = []
  const bySocket = new Map<string, Placed>()
  for (const { endpoint, sockets, weight } of weighted) {
    const own = sockets.filter((socket) => !bySocket.has(socketText(socket)))
    const [first] = sockets
    const sameSocket = first && bySocket.get(socketText(first))
    if (own.length === 0 && sameSocket) sameSocket.weight += weight
    else {
      const one = { endpoint, sockets: own, weight }
      for (const socket of own) {
        bySocket.set(socketText(socket), one)
        taken.add(socketText(socket))
      }
      placed.push(one)
    }
  }
  return placed
}

function weighed(placed: readonly Placed[], priority: 0 | 1): Locality[] {
  const weights = localityWeights(placed.map(({ weight }) => weight))
  const names = new Set<string>()
  return placed.flatMap(({ endpoint, sockets: [first, ...more] }, at) => {
    if (!first) return []
    // Two keys with one host name, of which the later one has addresses of its own.
    const name = names.has(endpoint.addr) ? `${endpoint.addr} ${socketText(first)}` : endpoint.addr
    names.add(name)
    return [{ name, sockets: [first, ...more] as const, weight: weights[at] ?? 1, priority }]
  })
}

/** The host names of a service that have to be resolved. */
export function hostNamesOf(service: readonly Endpoint[]): ReadonlySet<string> {
  const hosts = new Set<string>()
  for (const endpoint of service) {
    if (endpoint.problem !== null) continue
    const address = readAddress(endpoint.addr)
    if ('problem' in address || address.kind === 'unix') continue
    if (address.host !== '' && isIP(address.host) === 0) hosts.add(address.host)
  }
  return hosts
}

/** The sockets of an endpoint, or the reason why clients cannot be given any. */
function socketsOf(
  { addr, problem }: Endpoint,
  { ipsOf, progressOf }: AssignmentSettings,
): readonly IpSocket[] | Pick<Omission, 'lookup' | 'reason'> {
  const omitted = (reason: string, lookup: LookupProgress = 'ended') => ({ lookup, reason })
  if (problem !== null) return omitted(problem.text)
  const address = readAddress(addr)
  if ('problem' in address) return omitted(address.problem)
  if (address.kind === 'unix') return omitted('is a Unix socket, which gRPC clients do not take by xDS')
  const { host, port } = address
  if (host === '') return omitted('has no host')
  if (host.includes('%')) return omitted('has an IPv6 zone, which gRPC clients do not take by xDS')
  if (isIP(host) !== 0) return [{ ip: canonical(host), port }]
  const ips = ipsOf(host)
  if (ips.length > 0) return ips.map((ip) => ({ ip: canonical(ip), port }))
  const lookup = progressOf(host)
  if (lookup === 'ended') return omitted('has a host name that cannot be resolved')
  return omitted('has a host name that has not been resolved yet', lookup)
}

/** An IPv6 address can be written in several ways. */
function canonical(ip: string): string {
  return isIP(ip) === 6 ? new URL(`http://[${ip}]`).hostname.slice(1, -1) : ip
}

function socketText({ ip, port }: IpSocket): string {
  return `${ip} ${port}`
}
