// A Connect transport to a service in etcd: each call goes to the endpoint that an LB policy of disco-registry picks,
// over a gRPC connection for each endpoint. Copy it into your program.
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

/** How long an endpoint rests after a failed connection. */
const REST_MS = 1_000

/** How long a call waits for an endpoint: a moment, while the first connections are made. */
const WAIT_MS = 5_000
const POLL_MS = 10

/** The keys of a call, for `ring_hash` and `pinned`: `createContextValues().set(callKeys, …)`. */
export const callKeys = createContextKey<CallKeys>(NO_KEYS)

/** One endpoint's HTTP/2 connection. Calls go there only while it stands. */
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

/** Calls wait a moment for an endpoint, and fail with UNAVAILABLE where none is ready. It ends with the signal. */
export function registryTransport(
  registry: Registry,
  service: string,
  policy: Policy,
  signal: AbortSignal,
): Transport {
  const balancer = new EndpointBalancer<Connection>({
    policy,
    random: Math.random,
    clientKey: hostname(),
    // An address that makes no URL would throw, and end the watch for all others.
    select: ({ addr }) => URL.canParse(urlOf(addr)),
    connect: ({ addr }, setReady) => new Connection(addr, setReady),
    disconnect: (connection) => connection.close(),
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
    }
  }
  void follow()

  async function pick(keys?: CallKeys, call?: AbortSignal, timeoutMs = WAIT_MS): Promise<Picked> {
    const latest = performance.now() + Math.min(timeoutMs, WAIT_MS)
    for (;;) {
      const picked = balancer.pick(keys)
      if (picked?.connection.isOpen) return picked
      void picked?.connection.connect()
      picked?.release()
      call?.throwIfAborted()
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
        return await picked.connection.transport.unary(method, call, timeoutMs, header, input, values)
      } finally {
        picked.release()
      }
    },
    async stream(method, call, timeoutMs, header, input, values) {
      const picked = await pick(values?.get(callKeys), call, timeoutMs)
      try {
        const response = await picked.connection.transport.stream(
          method,
          call,
          timeoutMs,
          header,
          input,
          values,
        )
        return { ...response, message: releasing(response.message, picked) }
      } catch (error) {
        picked.release()
        throw error
      }
    },
  }
}

function urlOf(addr: string): string {
  return `http://${addr}`
}

type Picked = PickedEndpoint<Connection>

/** The call ends with its last message. */
async function* releasing<Message>(
  messages: AsyncIterable<Message>,
  picked: Picked,
): AsyncGenerator<Message> {
  try {
    yield* messages
  } finally {
    picked.release()
  }
}
