import type { IncomingHttpHeaders, SecureServerOptions, ServerHttp2Stream } from 'node:http2'
import type { Discovery } from '../domain/discovery.js'
import { install } from '../grpc/install.js'
import { status } from '../grpc/protocol.js'
import type { Observer } from '../grpc/resolver/observer.js'
import { readTarget } from '../grpc/resolver/resolve.js'
import type { Policy } from '../policies/index.js'
import { Call, type CallEnd } from './call.js'
import { callerAddress, takeKeys } from './caller.js'
import type { Dialer } from './dial.js'
import { type RawHeaders, relayed } from './headers.js'
import { Listener, type ListenerSettings } from './listener.js'
import { ReplayMemory } from './request-body.js'
import { type RouteRule, Routes } from './routes.js'
import { BalancedService, serviceName } from './service.js'
import { endReading, type GrpcStatus, refuse } from './status.js'

export interface ProxySettings {
  readonly discovery: Discovery
  readonly listen: ListenerSettings
  /** Services, or targets of any scheme that a channel takes. */
  readonly targets: readonly [string, ...string[]]
  /** Null if one target takes all calls. */
  readonly route: RouteRule | null
  readonly policy: Policy
  /** The gRPC service whose health is watched at the backends; empty for the whole server; null to watch no health. */
  readonly healthService: string | null
  /** How the backends of a target are dialled, by its authority. */
  readonly dialerOf: (authority: string) => Dialer
  /** How long a call waits if no endpoint is READY. */
  readonly waitMs: number
  /** Maximum size of a request that is kept to be sent again, in bytes. */
  readonly replayBytes: number
  readonly random: () => number
  /** Returns the observer of a target's list and connections. */
  readonly observerOf?: (target: string) => Observer
  /** Called when a call has ended. */
  readonly ended?: (end: CallEnd) => void
}

/** A gRPC proxy: takes calls by HTTP/2, and sends each to the endpoint that the LB policy picks for it. */
export class ProxyServer {
  private isDraining = false

  private constructor(
    private readonly listener: Listener,
    private readonly handler: StreamHandler,
    readonly services: readonly BalancedService[],
  ) {}

  /** @throws DiscoError USAGE for a target that cannot be read; CONFLICT, USAGE if it cannot listen */
  static async start(settings: ProxySettings): Promise<ProxyServer> {
    install({ discovery: settings.discovery })
    const services = new Map<string, BalancedService>()
    try {
      for (const target of settings.targets) {
        const observer = settings.observerOf?.(target) ?? {}
        const { authority } = readTarget(target)
        const dialer = settings.dialerOf(authority)
        services.set(target, new BalancedService(target, { ...settings, dialer, authority, observer }))
      }
      const handler = new StreamHandler(settings, new Routes(services, settings.route))
      const listener = await Listener.start(settings.listen, handler.handle)
      return new ProxyServer(listener, handler, [...services.values()])
    } catch (thrown) {
      for (const service of services.values()) service.close()
      throw thrown
    }
  }

  /** The bound `host:port`. */
  get address(): string {
    return this.listener.address
  }

  /** Connections of callers. */
  get connections(): number {
    return this.listener.connections
  }

  /** Why the proxy cannot serve calls now; null if it can. */
  get problem(): string | null {
    if (this.isDraining) return 'draining'
    const unknown = this.services.filter(({ hasList }) => !hasList)
    return unknown.length === 0
      ? null
      : `no endpoints are known yet of ${unknown.map(serviceName).join(', ')}`
  }

  /** Number of open calls. */
  get calls(): number {
    return this.handler.calls
  }

  /** Whether each target has a list, and each of its endpoints is READY or has failed to connect. */
  get isSettled(): boolean {
    return this.services.every(({ isSettled }) => isSettled)
  }

  /** Uses another certificate for new connections of callers. */
  renew(tls: SecureServerOptions): void {
    this.listener.renew(tls)
  }

  /**
   * Accepts no more connections, ends those of callers by GOAWAY, and resolves when all calls have ended.
   *
   * @param ended called when all calls have ended, before the connections to endpoints are closed
   */
  async drain(ended: () => void = () => undefined): Promise<void> {
    this.isDraining = true
    await this.listener.drain()
    ended()
    for (const service of this.services) service.close()
  }

  /** Ends open calls with UNAVAILABLE and closes the connections of callers, for a drain that takes too long. */
  cut(): void {
    this.handler.cut()
    this.listener.cut()
  }
}

/** Starts a call for each stream that a caller opens. */
class StreamHandler {
  private readonly open = new Set<Call>()
  private readonly memory: ReplayMemory

  constructor(
    private readonly settings: ProxySettings,
    private readonly routes: Routes,
  ) {
    this.memory = new ReplayMemory(settings.replayBytes)
  }

  get calls(): number {
    return this.open.size
  }

  cut(): void {
    for (const call of this.open) call.cut()
  }

  readonly handle = (
    stream: ServerHttp2Stream,
    received: IncomingHttpHeaders,
    _flags: number,
    raw: RawHeaders,
  ): void => {
    stream.on('error', () => {
      // The stream closes, which ends its call.
    })
    // The caller has reset the stream already. It is not forwarded: a backend may close a connection with many resets.
    if (stream.destroyed || stream.closed) return
    const peer = callerAddress(stream.session)
    if (!String(received['content-type'] ?? '').startsWith('application/grpc')) {
      stream.once('finish', () => endReading(stream))
      stream.respond({ ':status': 415, 'content-type': 'text/plain' })
      stream.end('This port speaks gRPC\n')
      this.refused(received, peer, { code: status.UNKNOWN, details: 'HTTP status 415: not a gRPC call' })
      return
    }
    const service = this.routes.find(received)
    if (typeof service === 'string') {
      const failure = { code: status.UNIMPLEMENTED, details: service }
      refuse(stream, failure)
      this.refused(received, peer, failure)
      return
    }
    const headers = relayed(raw, received)
    const keys = takeKeys(service.policy, received, headers, peer)
    const memory = this.memory.of(stream.session ?? stream)
    const { waitMs, ended } = this.settings
    const call = new Call({ stream, headers, keys, peer }, service, { memory, waitMs }, (end) => {
      this.open.delete(call)
      ended?.(end)
    })
    this.open.add(call)
    call.start()
  }

  /** Reports a call that was not forwarded to a service. */
  private refused(
    { ':path': path = '' }: IncomingHttpHeaders,
    peer: string,
    { code, details }: GrpcStatus,
  ): void {
    this.settings.ended?.({
      service: null,
      upstream: null,
      path,
      peer,
      code,
      details,
      tookMs: 0,
      endedBy: 'proxy',
      replays: 0,
    })
  }
}
