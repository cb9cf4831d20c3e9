import { isIP } from 'node:net'
import { readAddress } from '../domain/address.js'
import type { Endpoint } from '../domain/endpoint.js'
import type { Selector } from '../domain/selector.js'
import { effectiveWeights } from '../domain/shares.js'
import type { LookupProgress } from './host-names.js'
import type { IpSocket, Locality } from './locality.js'
import { inPriorities, type WeightedEndpoint } from './priorities.js'

/** A registered endpoint that clients do not receive. */
export interface Omission {
  readonly endpoint: Endpoint
  /** Whether the endpoint is omitted only because its weight is 0. */
  readonly isDrained: boolean
  /** The progress of the first lookup of its host name; `ended` if it has none. */
  readonly lookup: LookupProgress
  /** A clause that follows the address, such as `is drained`. */
  readonly reason: string
}

export interface Assignment {
  readonly localities: readonly Locality[]
  readonly omissions: readonly Omission[]
}

export interface AssignmentSettings {
  /** Selects the endpoints that get all calls while one of them is READY; null if there is no canary. */
  readonly canary: Selector | null
  /** The addresses of a host name; empty if it cannot be resolved, or has not been resolved yet. */
  readonly ipsOf: (host: string) => readonly string[]
  readonly progressOf: (host: string) => LookupProgress
}

/**
 * The localities of a service, with weights that give each endpoint its share of the whole service. Drained endpoints
 * are omitted. If all weights are 0, all endpoints count as equal.
 *
 * @param service all endpoints of the service, all versions
 */
export function assignmentOf(service: readonly Endpoint[], settings: AssignmentSettings): Assignment {
  const weightOf = effectiveWeights(service)
  const omissions: Omission[] = []
  const weighted: WeightedEndpoint[] = []
  for (const endpoint of service) {
    const sockets = socketsOf(endpoint, settings)
    const weight = weightOf(endpoint)
    const isAwaited = 'reason' in sockets && sockets.lookup !== 'ended'
    // A drained endpoint is reported as drained, even if its host name has not been resolved yet.
    if (weight === 0 && (isAwaited || !('reason' in sockets)))
      omissions.push({ endpoint, isDrained: true, lookup: 'ended', reason: 'is drained' })
    else if ('reason' in sockets) omissions.push({ endpoint, isDrained: false, ...sockets })
    else weighted.push({ endpoint, sockets, weight })
  }
  return { localities: inPriorities(weighted, settings.canary), omissions }
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

/** The sockets of an endpoint, or the reason why clients cannot receive the endpoint. */
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

/** The canonical form of an IP address: IPv6 addresses can be written in several ways. */
function canonical(ip: string): string {
  return isIP(ip) === 6 ? new URL(`http://[${ip}]`).hostname.slice(1, -1) : ip
}
