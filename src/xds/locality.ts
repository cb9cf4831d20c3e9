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
  /** The registry of the endpoint, if there are several. */
  readonly registry: string | null
  /** The registered address. The same for as long as the endpoint stands: a client connects again for a new name. */
  readonly name: string
  /** Several if a host name has several addresses. */
  readonly sockets: readonly [IpSocket, ...IpSocket[]]
  /** An integer of at least 1. */
  readonly weight: number
  /** From 0, without a gap. Clients use a priority if no locality of a lower number is READY. */
  readonly priority: number
}
