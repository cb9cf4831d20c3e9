/** A socket as in xDS: an IP literal and a port. */
export interface IpSocket {
  readonly ip: string
  readonly port: number
}

/**
 * One endpoint of a service with its weight for clients. Each endpoint has its own locality, because gRPC clients
 * ignore the weights of endpoints within a locality.
 */
export interface Locality {
  /** The registry of the endpoint; null if there is only one registry. */
  readonly registry: string | null
  /**
   * The name: the registered address, with a suffix if another locality has that name. It is stable while the endpoint
   * is registered, because clients reconnect if the name changes.
   */
  readonly name: string
  /** Several if a host name has several addresses. */
  readonly sockets: readonly [IpSocket, ...IpSocket[]]
  /** An integer of at least 1. */
  readonly weight: number
  /** From 0, without a gap. Clients use a priority if no locality of a lower number is READY. */
  readonly priority: number
}

/**
 * The largest sum of the locality weights of one priority. The protocol allows 2^32 - 1; older clients add them up as
 * signed 32-bit integers.
 */
const MAX_SUM = 2 ** 31 - 1

/**
 * The weights of localities: integers of at least 1, in the ratios of the given weights.
 *
 * @param weights above 0; fractions and sums beyond 2^31 occur in registries
 */
export function localityWeights(weights: readonly number[]): readonly number[] {
  const sum = total(weights)
  if (sum <= MAX_SUM && weights.every(Number.isInteger)) return weights
  // Divides by the largest weight first, because the sum of the weights may be infinite.
  const most = weights.reduce((one, other) => Math.max(one, other), 0)
  const parts = weights.map((weight) => weight / most)
  // Each weight that is raised to 1 adds less than 1 to the sum.
  const scale = (MAX_SUM - weights.length) / total(parts)
  return parts.map((part) => Math.max(1, Math.floor(part * scale)))
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}
