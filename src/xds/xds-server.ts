import { lookup } from 'node:dns/promises'
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { Server, type ServerCredentials, type ServiceDefinition, status } from '@grpc/grpc-js'
import type { ListenAddress } from '../domain/address.js'
import type { DiscoError } from '../domain/errors.js'
import type { Origin } from '../domain/origins.js'
import type { Selector } from '../domain/selector.js'
import { Catalog } from './catalog.js'
import { type AdsCall, ClientStream, type StreamEvents } from './client-stream.js'
import { Listener } from './listener.js'
import type { Assignment } from './localities.js'
import { DiscoveryRequestSchema, DiscoveryResponseSchema } from './proto/xds_pb.js'
import { type ListSource, type RegistryOutage, registriesOf, ServiceLists } from './service-lists.js'

/** Maximum number of streams at one time. */
const MAX_STREAMS = 10_000

/** Time for the client to receive the status of a stream that this side ends, before the connection is closed. */
const LAST_FRAMES_MS = 1_000

const OPTIONS = {
  'grpc.max_concurrent_streams': 100,
  // A client that does not answer a PING is disconnected, even if its TCP connection seems open.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 20_000,
  // For connections without a stream.
  'grpc.max_connection_idle_ms': 300_000,
  'grpc.enable_channelz': 0,
}

/** The service with its public path: our own .proto file has other package names. */
const ADS: ServiceDefinition = {
  StreamAggregatedResources: {
    path: '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',
    requestStream: true,
    responseStream: true,
    requestSerialize: (request) => Buffer.from(toBinary(DiscoveryRequestSchema, request)),
    requestDeserialize: (bytes) => fromBinary(DiscoveryRequestSchema, bytes),
    responseSerialize: (response) => Buffer.from(toBinary(DiscoveryResponseSchema, response)),
    responseDeserialize: (bytes) => fromBinary(DiscoveryResponseSchema, bytes),
  },
}

export interface XdsObserver extends StreamEvents {
  outage(outage: RegistryOutage): void
  /** Called when the assignment of a service was built again. */
  built?(service: string, assignment: Assignment): void
}

export interface XdsSettings {
  readonly sources: readonly ListSource[]
  readonly listen: ListenAddress
  readonly credentials: ServerCredentials
  readonly canary: Selector | null
  /** Prefix of resource versions, so that versions of a restarted process differ. */
  readonly instance: string
  /** How long a client may take to accept or reject a response. */
  readonly answerMs: number
  readonly random: () => number
  /** The addresses of a host name, as IP literals. Default: the resolver of the system. */
  readonly lookup?: (host: string) => Promise<readonly string[]>
  readonly observer: XdsObserver
}

/** An xDS control plane: serves the endpoints of services to gRPC clients, which balance by themselves. */
export class XdsServer {
  readonly catalog: Catalog
  private readonly lists: ServiceLists
  private readonly server = new Server(OPTIONS)
  private readonly clients = new Set<ClientStream>()
  /** The sources for which a registry is unreachable, by registry; the key null is the only registry. */
  private readonly unreached = new Map<string | null, Map<ListSource, DiscoError>>()
  private listener: Listener | null = null
  private isClosing = false

  private constructor(private readonly settings: XdsSettings) {
    const { sources, canary, observer, random } = settings
    this.catalog = new Catalog({
      sources,
      canary,
      lookup: settings.lookup ?? lookupAll,
      changed: (change) => {
        for (const client of this.clients) client.changed(change)
      },
      built: (service, assignment) => observer.built?.(service, assignment),
    })
    const lists = {
      listed: this.catalog.listed.bind(this.catalog),
      outage: (outage: RegistryOutage, source: ListSource) => {
        this.note(outage, source)
        observer.outage(outage)
      },
    }
    this.lists = new ServiceLists(sources, lists, random)
    this.server.addService(ADS, { StreamAggregatedResources: (call: AdsCall) => this.open(call) })
  }

  /** @throws DiscoError CONFLICT or USAGE if it cannot listen */
  static async start(settings: XdsSettings): Promise<XdsServer> {
    const server = new XdsServer(settings)
    try {
      const injector = server.server.createConnectionInjector(settings.credentials)
      server.listener = await Listener.start(settings.listen, (socket) => injector.injectConnection(socket))
      return server
    } catch (thrown) {
      await server.close()
      throw thrown
    }
  }

  /** The bound `host:port`. */
  get address(): string {
    return this.listener?.address ?? ''
  }

  get connections(): number {
    return this.listener?.connections ?? 0
  }

  get streams(): ReadonlySet<ClientStream> {
    return this.clients
  }

  /** The registries that are combined; empty for a single registry. */
  get registries(): readonly Origin[] {
    const [first] = this.settings.sources
    return first ? registriesOf(first) : []
  }

  /** Why registries are unreachable, by name; the key null is the only registry. */
  get outages(): ReadonlyMap<string | null, DiscoError> {
    const outages = new Map<string | null, DiscoError>()
    for (const [registry, causes] of this.unreached)
      for (const cause of causes.values()) outages.set(registry, cause)
    return outages
  }

  /** Why the server is not ready for clients, as a clause; null if it is ready. */
  get problem(): string | null {
    if (this.isClosing) return 'ending'
    const awaited = this.catalog.awaitedServices
    if (awaited.length === 0) return null
    return `no endpoints are known yet of ${awaited.map((name) => name ?? 'all services').join(', ')}`
  }

  /** Whether the server is ready for clients, and each of several registries has answered. */
  get isSettled(): boolean {
    return this.problem === null && this.lists.haveAllAnswered
  }

  /** Ends all streams. Clients keep their resources and reconnect. */
  async close(): Promise<void> {
    this.isClosing = true
    this.lists.close()
    this.catalog.close()
    for (const client of this.clients) client.end(status.UNAVAILABLE, 'the control plane ends')
    // Lets the event loop send the last frames first.
    await new Promise((resolve) => setImmediate(resolve))
    this.server.forceShutdown()
    await this.listener?.close()
  }

  private note({ registry, cause }: RegistryOutage, source: ListSource): void {
    const causes = this.unreached.get(registry) ?? new Map<ListSource, DiscoError>()
    this.unreached.set(registry, causes)
    if (cause) causes.set(source, cause)
    else causes.delete(source)
  }

  private open(call: AdsCall): void {
    if (this.clients.size >= MAX_STREAMS || this.isClosing) {
      const code = this.isClosing ? status.UNAVAILABLE : status.RESOURCE_EXHAUSTED
      call.emit('error', { code, details: this.isClosing ? 'the control plane ends' : 'too many streams' })
      return
    }
    const { catalog, settings } = this
    const events: StreamEvents = {
      ...settings.observer,
      closed: (closed, reason) => {
        this.clients.delete(closed)
        if (reason !== null) this.cutLater(closed)
        settings.observer.closed(closed, reason)
      },
    }
    const stream = new ClientStream(call, { ...settings, catalog }, events)
    this.clients.add(stream)
  }

  /**
   * Closes the connection after `LAST_FRAMES_MS` unless the stream has ended by then: a client that does not read does
   * not receive the status of the stream either.
   */
  private cutLater(stream: ClientStream): void {
    const cut = () => {
      if (!stream.isClosed) this.listener?.cut(stream.peer)
    }
    setTimeout(cut, LAST_FRAMES_MS).unref()
  }
}

async function lookupAll(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true })
  return found.map(({ address }) => address)
}
