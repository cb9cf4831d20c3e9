import type { Endpoint } from '../domain/endpoint.js'
import { type Selector, selects } from '../domain/selector.js'
import { type IpSocket, type Locality, localityWeights } from './locality.js'

/** An endpoint that clients receive. */
export interface WeightedEndpoint {
  readonly endpoint: Endpoint
  readonly sockets: readonly IpSocket[]
  /** The weight, above 0, relative to the weights of the same registry. */
  readonly weight: number
}

interface PlacedEndpoint {
  readonly endpoint: Endpoint
  readonly sockets: readonly IpSocket[]
  weight: number
}

/** The endpoints of one priority. */
interface Level {
  /** 0 for the canary, 1 for others. */
  readonly canary: 0 | 1
  /** The priority of the registry. */
  readonly registry: number
  readonly members: WeightedEndpoint[]
}

/**
 * The localities of a service, one for each endpoint (see `Locality`). The endpoints of the canary come first, then all
 * others. Within both groups, registries are in the order of their priorities. The resulting priorities are numbered
 * from 0, without gaps.
 *
 * @param canary null without `--canary`
 */
export function inPriorities(weighted: readonly WeightedEndpoint[], canary: Selector | null): Locality[] {
  const taken = new Set<string>()
  const priorities: Locality[][] = []
  for (const { members } of levelsOf(weighted, canary)) {
    // If keys at several priorities have the same socket, it is kept only at the first of these priorities.
    const placed = merged(inRatio(withoutSockets(members, taken)), taken)
    if (placed.length > 0) priorities.push(weighed(placed, priorities.length))
  }
  return priorities.flat()
}

/** The levels in the order of their priorities. */
function levelsOf(weighted: readonly WeightedEndpoint[], selector: Selector | null): readonly Level[] {
  const levels: Level[] = []
  for (const one of weighted) {
    const canary = selector !== null && selects(selector, one.endpoint) ? 0 : 1
    const registry = one.endpoint.origin?.priority ?? 0
    const known = levels.find((level) => level.canary === canary && level.registry === registry)
    if (known) known.members.push(one)
    else levels.push({ canary, registry, members: [one] })
  }
  return levels.sort((a, b) => a.canary - b.canary || a.registry - b.registry)
}

function withoutSockets(
  weighted: readonly WeightedEndpoint[],
  taken: ReadonlySet<string>,
): WeightedEndpoint[] {
  if (taken.size === 0) return [...weighted]
  return weighted.flatMap((one) => {
    const sockets = one.sockets.filter((socket) => !taken.has(socketText(socket)))
    return sockets.length === 0 ? [] : [{ ...one, sockets }]
  })
}

/** Scales the endpoints' weights, so that several registries share the calls in the ratio of the registries' weights. */
function inRatio(weighted: readonly WeightedEndpoint[]): readonly WeightedEndpoint[] {
  const totals = new Map<string | undefined, number>()
  for (const { endpoint, weight } of weighted) {
    const registry = endpoint.origin?.registry
    totals.set(registry, (totals.get(registry) ?? 0) + weight)
  }
  if (totals.size < 2) return weighted
  return weighted.map((one) => {
    const { origin } = one.endpoint
    const total = totals.get(origin?.registry) ?? one.weight
    return { ...one, weight: ((origin?.weight ?? 1) * one.weight) / total }
  })
}

/**
 * Keeps each socket once: two keys may have the same address, but clients reject an assignment that contains a socket
 * twice. If all sockets of an endpoint already belong to earlier endpoints, its weight is added to the earlier endpoint
 * that has its first socket.
 *
 * @param taken receives the sockets of the endpoints
 */
function merged(weighted: readonly WeightedEndpoint[], taken: Set<string>): PlacedEndpoint[] {
  const placed: PlacedEndpoint[] = []
  const bySocket = new Map<string, PlacedEndpoint>()
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

function weighed(placed: readonly PlacedEndpoint[], priority: number): Locality[] {
  const weights = localityWeights(placed.map(({ weight }) => weight))
  const names = new Set<string>()
  return placed.flatMap(({ endpoint, sockets: [first, ...more] }, at) => {
    if (!first) return []
    const { addr, origin } = endpoint
    const registry = origin?.registry ?? null
    const isTaken = names.has(nameText(registry, addr))
    // `merged` keeps a second key with the same address only if it has a socket of its own, which is added to the name.
    const name = isTaken ? `${addr} ${socketText(first)}` : addr
    names.add(nameText(registry, name))
    return [{ registry, name, sockets: [first, ...more] as const, weight: weights[at] ?? 1, priority }]
  })
}

function nameText(registry: string | null, name: string): string {
  return `${registry ?? ''} ${name}`
}

function socketText({ ip, port }: IpSocket): string {
  return `${ip} ${port}`
}
