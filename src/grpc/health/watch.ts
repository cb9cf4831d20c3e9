import {
  Client,
  type ClientOptions,
  type ClientReadableStream,
  credentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import type { ServingStatus } from './protocol.js'

/** After a Watch that broke, the next comes this much later; twice as late each time, up to the most. */
const RETRY_FIRST_MS = 1_000
const RETRY_MOST_MS = 30_000

/** What a server says of itself. */
export interface Health {
  readonly isServing: boolean
  /** Why it is not serving. */
  readonly problem: string | null
}

type Channel = NonNullable<ClientOptions['channelOverride']>

const HEALTHY: Health = { isServing: true, problem: null }

/**
 * Follows what one server says of its health over one connection: grpc.health.v1 Watch, by the rules of gRFC
 * A17. Only SERVING is healthy; a server without the protocol is taken for healthy; a Watch that breaks leaves
 * it unhealthy until another one answers.
 */
export class HealthWatch {
  private stream: ClientReadableStream<ServingStatus> | null = null
  private retryTimer: NodeJS.Timeout | null = null
  private retryMs = RETRY_FIRST_MS
  private isStopped = false

  /**
   * @param channel that of the one connection
   * @param service the service to ask about; empty for the server as a whole
   * @param report never called synchronously, nor after `stop`
   */
  constructor(
    private readonly channel: Channel,
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
    // The protocol's messages take time to load, and few clients ask for health.
    const { HEALTH_PATHS, healthRequest, healthResponse } = await import('./protocol.js')
    if (this.isStopped) return
    const client = new Client(this.channel.getTarget(), credentials.createInsecure(), {
      channelOverride: this.channel,
    })
    this.stream = client
      .makeServerStreamRequest(HEALTH_PATHS.Watch, healthRequest.encode, healthResponse.decode, {
        service: this.service,
      })
      .on('data', (said: ServingStatus) => {
        this.retryMs = RETRY_FIRST_MS
        this.tell(said === 'SERVING' ? HEALTHY : { isServing: false, problem: `${said} (grpc.health.v1)` })
      })
      .on('error', (error: ServiceError) => this.ended(error))
  }

  private ended({ code, details }: ServiceError): void {
    if (this.isStopped) return
    if (code === status.UNIMPLEMENTED) {
      this.tell(HEALTHY)
      return
    }
    this.tell({ isServing: false, problem: `its health watch ended: ${details}` })
    this.retryTimer = setTimeout(() => void this.start(), this.retryMs)
    this.retryTimer.unref()
    this.retryMs = Math.min(this.retryMs * 2, RETRY_MOST_MS)
  }

  private tell(health: Health): void {
    if (!this.isStopped) this.report(health)
  }
}

/** The service that clients ask about by this service config (`healthCheckConfig`), or null for not at all. */
export function healthServiceOf(serviceConfig: string | undefined): string | null {
  // grpc-js keeps no field of a service config but those that it knows; it has checked that this is JSON.
  const { healthCheckConfig } = JSON.parse(serviceConfig ?? '{}') as {
    healthCheckConfig?: { serviceName?: unknown } | null
  }
  return healthCheckConfig ? String(healthCheckConfig.serviceName ?? '') : null
}
