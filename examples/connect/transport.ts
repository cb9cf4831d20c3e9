// A Connect transport to a service in etcd: each call goes to the endpoint that an LB policy of disco-registry picks.
// Each endpoint has one gRPC connection. Copy this file into your program.
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { Code, ConnectError, createContextKey, type Transport } from '@connectrpc/connect'
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'
import type { Registry } from 'disco-registry'
import {
  type CallKeys,
  EndpointBalancer,
  NO_KEYS,
  type PickedEndpoint,
  type Policy,
} from 'disco-registry/policies'

/** How long to wait after a failed connection to an endpoint before the next attempt. */
const REST_MS = 1_000

/** How long a call waits if no endpoint is ready, as while the first connections are made. */
const WAIT_MS = 5_000
const POLL_MS = 10

/** The keys of a call, for `ring_hash` and `pinned`: `createContextValues().set(callKeys, …)`. */
export const callKeys = createContextKey<CallKeys>(NO_KEYS)

/** One endpoint's HTTP/2 connection. The endpoint is picked only while the connection is open. */
class Connection {
  readonly sessions: Http2SessionManager
  readonly transport: Transport
  #isClosed = false
  #isConnecting = false

  constructor(
    addr: string,
    readonly setReady: (isReady: boolean) => void,
  ) {
    const baseUrl = urlOf(addr)
    this.sessions = new Http2SessionManager(baseUrl)
    this.transport = createGrpcTransport({ baseUrl, sessionManager: this.sessions })
    void this.connect()
  }

  get isOpen(): boolean {
    const state = this.sessions.state()
    return state !== 'closed' && state !== 'error'
  }

  async connect(): Promise<void> {
    if (this.#isConnecting) return
    this.#isConnecting = true
    this.setReady(false)
    while (!this.#isClosed && (await this.sessions.connect()) === 'error')
      await delay(REST_MS, null, { ref: false })
    this.#isConnecting = false
    if (this.#isClosed) this.sessions.abort()
    else this.setReady(true)
  }

  close(): void {
    this.#isClosed = true
    this.sessions.abort()
  }
}

/**
 * Creates a transport to a service. Calls wait for a ready endpoint, and fail with UNAVAILABLE after WAIT_MS. `signal`
 * closes the transport and its connections. A stream that its caller stops reading counts as outstanding until its signal
 * aborts, its deadline passes or the transport closes.
 */
export function registryTransport(
  registry: Registry,
  service: string,
  policy: Policy,
  signal: AbortSignal,
): Transport {
  const connections = new Set<Connection>()
  const balancer = new EndpointBalancer<Connection>({
    policy,
    random: Math.random,
    clientKey: hostname(),
    // An address that does not form a URL would throw, and end the watch for all endpoints.
    select: ({ addr }) => URL.canParse(urlOf(addr)),
    connect({ addr }, setReady) {
      const connection = new Connection(addr, setReady)
      connections.add(connection)
      return connection
    },
    disconnect(connection) {
      connections.delete(connection)
      connection.close()
    },
  })
  let failure: unknown = null
  const follow = async () => {
    try {
      for await (const update of registry.watch({ service }, signal)) balancer.apply(update)
    } catch (error) {
      failure = error
    } finally {
      failure ??= new ConnectError('The transport was closed', Code.Canceled)
      balancer.close()
      // Connections may still have calls whose end was not noticed.
      if (signal.aborted) for (const connection of connections) connection.close()
    }
  }
  void follow()

  async function pick(keys: CallKeys | undefined, call?: AbortSignal, timeoutMs = 0): Promise<Picked> {
    const startMs = performance.now()
    // In Connect, 0 or less means no deadline.
    const limitMs = timeoutMs > 0 ? timeoutMs : undefined
    const latest = startMs + Math.min(limitMs ?? WAIT_MS, WAIT_MS)
    for (;;) {
      const picked = balancer.pick(keys)
      if (picked?.connection.isOpen) {
        const leftMs = limitMs && Math.max(1, Math.round(limitMs - (performance.now() - startMs)))
        return { transport: picked.connection.transport, leftMs, end: endOf(picked, call, leftMs) }
      }
      void picked?.connection.connect()
      picked?.release()
      if (call?.aborted) throw ConnectError.from(call.reason, Code.Canceled)
      if (failure !== null) throw ConnectError.from(failure, Code.Unavailable)
      if (performance.now() > latest) {
        throw new ConnectError(`No endpoint of ${service} is ready`, Code.Unavailable)
      }
      await delay(POLL_MS)
    }
  }

  return {
    async unary(method, call, timeoutMs, header, input, values) {
      const picked = await pick(values?.get(callKeys), call, timeoutMs)
      try {
        return await picked.transport.unary(method, call, picked.leftMs, header, input, values)
      } finally {
        picked.end()
      }
    },
    async stream(method, call, timeoutMs, header, input, values) {
      const picked = await pick(values?.get(callKeys), call, timeoutMs)
      try {
        const response = await picked.transport.stream(method, call, picked.leftMs, header, input, values)
        return { ...response, message: ending(response.message, picked) }
      } catch (error) {
        picked.end()
        throw error
      }
    },
  }
}

function urlOf(addr: string): string {
  return `http://${addr}`
}

/** The connection that a call uses. */
interface Picked {
  readonly transport: Transport
  /** The time until its deadline; undefined if the call has no deadline. */
  readonly leftMs: number | undefined
  /** To be called when the call has ended. Idempotent. */
  readonly end: () => void
}

/** The longest delay of Node's timers. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Returns a function that releases the endpoint, for the end of the call. The call's signal and its deadline release the
 * endpoint too, because a caller that leaves the messages by `break` is not noticed: Connect's iterable has no `return`.
 */
function endOf(
  picked: PickedEndpoint<Connection>,
  call: AbortSignal | undefined,
  leftMs: number | undefined,
): () => void {
  const timer = leftMs === undefined ? undefined : setTimeout(end, Math.min(leftMs, MAX_TIMER_MS)).unref()
  function end() {
    clearTimeout(timer)
    call?.removeEventListener('abort', end)
    picked.release()
  }
  call?.addEventListener('abort', end)
  return end
}

/** Passes messages on, and ends the call after the last one. */
async function* ending<Message>(messages: AsyncIterable<Message>, { end }: Picked): AsyncGenerator<Message> {
  try {
    yield* messages
  } finally {
    end()
  }
}
