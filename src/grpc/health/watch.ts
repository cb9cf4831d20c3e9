import { Client, type ClientOptions, credentials, type ServiceError, status } from '@grpc/grpc-js'
import { Backoff, type BackoffLimits } from '../../net/backoff.js'

/**
 * Backoff before a failed watch is repeated. Jittered, because a restart of the server ends the watches of all clients
 * at the same time.
 */
const RETRY_BACKOFF: BackoffLimits = { firstMs: 1_000, maxMs: 30_000 }

/** The health that a server reports. */
export interface Health {
  readonly isServing: boolean
  /** Why the server is not serving, as a clause; null if it is serving. */
  readonly problem: string | null
}

/** Receives the events of one stream. Methods are not called before {@link OpenStream} has returned. */
export interface StreamEvents {
  message(bytes: Buffer): void
  /** The stream has ended, or could not be opened. */
  ended(status: { readonly code: status; readonly details: string }): void
}

/** Starts a server-streaming call over one connection. */
export type OpenStream = (path: string, request: Buffer, events: StreamEvents) => { cancel(): void }

type Channel = NonNullable<ClientOptions['channelOverride']>

/** @param channel a channel with only one connection, such as that of a subchannel */
export function streamsOver(channel: Channel): OpenStream {
  const bytes = (value: Buffer) => value
  return (path, request, events) =>
    new Client(channel.getTarget(), credentials.createInsecure(), { channelOverride: channel })
      .makeServerStreamRequest(path, bytes, bytes, request)
      .on('data', (message: Buffer) => events.message(message))
      .on('error', ({ code, details }: ServiceError) => events.ended({ code, details }))
}

const HEALTHY: Health = { isServing: true, problem: null }

/**
 * Watches the health that one server reports over one connection: grpc.health.v1 Watch, by the rules of gRFC A17. Only
 * the status SERVING is healthy. A server that does not implement grpc.health.v1 counts as healthy. After a failed
 * Watch, the server counts as unhealthy until another Watch returns SERVING.
 */
export class HealthWatch {
  private stream: { cancel(): void } | null = null
  private retryTimer: NodeJS.Timeout | null = null
  private readonly backoff = new Backoff(RETRY_BACKOFF)
  private isStopped = false

  /**
   * @param open starts streams over the connection
   * @param service the gRPC service whose health is watched; empty for the server as a whole
   * @param report not called before the constructor has returned, and not after `stop`
   */
  constructor(
    private readonly open: OpenStream,
    private readonly service: string,
    private readonly report: (health: Health) => void,
  ) {
    void this.start()
  }

  stop(): void {
    this.isStopped = true
    if (this.retryTimer) clearTimeout(this.retryTimer)
    this.stream?.cancel()
  }

  private async start(): Promise<void> {
    // Loaded on demand, because the message types take time to load and few clients watch health.
    const { HEALTH_PATHS, healthRequest, healthResponse } = await import('./protocol.js')
    if (this.isStopped) return
    this.stream = this.open(HEALTH_PATHS.Watch, healthRequest.encode({ service: this.service }), {
      message: (bytes) => {
        const reported = healthResponse.decode(bytes)
        this.backoff.reset()
        this.deliver(
          reported === 'SERVING' ? HEALTHY : { isServing: false, problem: `${reported} (grpc.health.v1)` },
        )
      },
      ended: (status) => this.ended(status),
    })
  }

  private ended({ code, details }: Parameters<StreamEvents['ended']>[0]): void {
    if (this.isStopped) return
    if (code === status.UNIMPLEMENTED) {
      this.deliver(HEALTHY)
      return
    }
    this.deliver({ isServing: false, problem: `its health watch ended: ${details}` })
    this.retryTimer = setTimeout(() => void this.start(), this.backoff.next())
    this.retryTimer.unref()
  }

  private deliver(health: Health): void {
    if (!this.isStopped) this.report(health)
  }
}

/** The service in the `healthCheckConfig` of a service config; null if health is not watched. */
export function healthServiceOf(serviceConfig: string | undefined): string | null {
  // Parsed here, because grpc-js drops the field. grpc-js has already checked that the text is JSON.
  const { healthCheckConfig } = JSON.parse(serviceConfig ?? '{}') as {
    healthCheckConfig?: { serviceName?: unknown } | null
  }
  return healthCheckConfig ? String(healthCheckConfig.serviceName ?? '') : null
}
