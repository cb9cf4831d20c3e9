import { type Endpoint, type EndpointId, endpointId } from '../domain/endpoint.js'

/** State of the connection to an endpoint. */
export interface ConnectionState {
  isReady: boolean
  /** Whether it has been READY at least once. */
  wasReady: boolean
  /** Failed attempts before it first became READY. */
  failures: number
  /** Why it is not READY, as grpc-js reports it; null before the first state change. */
  problem: string | null
}

/** A refused endpoint gets one more attempt, after grpc-js's backoff of about a second. */
const MAX_FAILURES = 2

/**
 * Connection states of the endpoints with a share. A state change costs O(1) and a new list O(n), because thousands
 * of endpoints become READY one by one.
 */
export class ConnectionStates {
  /** The endpoints with a share: readable and not drained. */
  wanted: ReadonlyMap<EndpointId, Endpoint> = new Map()
  /** Number of endpoints in `wanted` that are READY. */
  ready = 0
  /** Number of endpoints in `wanted` that have neither been READY nor failed twice. */
  unsettled = 0
  private listed: ReadonlySet<EndpointId> = new Set()
  private readonly connections = new Map<EndpointId, ConnectionState>()

  /**
   * Replaces the list of endpoints.
   *
   * @param registered the endpoints that the target selects
   * @param weightOf their effective weights
   */
  list(registered: readonly Endpoint[], weightOf: (endpoint: Endpoint) => number): void {
    this.listed = new Set(registered.map(endpointId))
    const wanted = registered.filter((endpoint) => weightOf(endpoint) > 0)
    this.wanted = new Map(wanted.map((endpoint) => [endpointId(endpoint), endpoint]))
    this.ready = 0
    this.unsettled = 0
    for (const id of this.wanted.keys()) this.count(this.of(id), 1)
  }

  /** Whether the registry lists the endpoint, drained or not. */
  isListed(id: EndpointId): boolean {
    return this.listed.has(id)
  }

  of(id: EndpointId): ConnectionState {
    let connection = this.connections.get(id)
    if (!connection) {
      connection = { isReady: false, wasReady: false, failures: 0, problem: null }
      this.connections.set(id, connection)
    }
    return connection
  }

  /** Records a new connection state. */
  changed(id: EndpointId, isReady: boolean, problem: string | null): void {
    this.update(id, (connection) => {
      connection.isReady = isReady
      connection.wasReady ||= isReady
      connection.problem = problem
    })
  }

  /** Records a failed attempt to connect. */
  failed(id: EndpointId, problem: string): void {
    this.update(id, (connection) => {
      if (!connection.wasReady) connection.failures++
      connection.problem = problem
    })
  }

  /** Whether the endpoint is no longer waited for. */
  isSettled({ wasReady, failures }: ConnectionState): boolean {
    return wasReady || failures >= MAX_FAILURES
  }

  /** Endpoints with a share that are not READY. O(n). */
  unready(): {
    readonly endpoint: Endpoint
    readonly id: EndpointId
    readonly connection: ConnectionState
  }[] {
    return [...this.wanted]
      .map(([id, endpoint]) => ({ id, endpoint, connection: this.of(id) }))
      .filter(({ connection }) => !connection.isReady)
  }

  private update(id: EndpointId, change: (connection: ConnectionState) => void): void {
    const connection = this.of(id)
    const isCounted = this.wanted.has(id)
    if (isCounted) this.count(connection, -1)
    change(connection)
    if (isCounted) this.count(connection, 1)
  }

  private count(connection: ConnectionState, by: number): void {
    if (connection.isReady) this.ready += by
    if (!this.isSettled(connection)) this.unsettled += by
  }
}

/** An endpoint with a share that was not READY when the calls began. */
export interface Unready {
  readonly id: EndpointId
  readonly addr: string
  readonly problem: string
  /** Whether an attempt to connect has failed; false while the first attempt is outstanding. */
  readonly isRefused: boolean
}

/** Result of connecting: numbers of endpoints, and those that are not READY. */
export interface Readiness {
  readonly ready: number
  /** Endpoints with a share. */
  readonly wanted: number
  /** All endpoints that the target selects. */
  readonly registered: number
  /** Endpoints with a problem, which are never dialled. */
  readonly unusable: number
  /** Time since the channel was opened. */
  readonly elapsedMs: number
  readonly unready: readonly Unready[]
}
