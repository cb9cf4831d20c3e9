import type { Server, ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js'
import {
  HEALTH_PATHS,
  type HealthCheckRequest,
  healthRequest,
  healthResponse,
  type ServingStatus,
} from '../grpc/health/protocol.js'

export type HealthWatcher = ServerWritableStream<HealthCheckRequest, ServingStatus>

/** Answers grpc.health.v1, Check and Watch, for any service name with the health of the server. */
export class Health {
  protected readonly watchers = new Set<HealthWatcher>()
  private current: ServingStatus = 'SERVING'

  constructor(server: Server) {
    const method = (path: string, responseStream: boolean) => ({
      path,
      requestStream: false,
      responseStream,
      requestSerialize: healthRequest.encode,
      requestDeserialize: healthRequest.decode,
      responseSerialize: healthResponse.encode,
      responseDeserialize: healthResponse.decode,
    })
    server.addService(
      { Check: method(HEALTH_PATHS.Check, false), Watch: method(HEALTH_PATHS.Watch, true) },
      {
        Check: (
          { request }: ServerUnaryCall<HealthCheckRequest, ServingStatus>,
          reply: sendUnaryData<ServingStatus>,
        ) => reply(null, this.check(request)),
        Watch: (watcher: HealthWatcher) => this.watch(watcher),
      },
    )
  }

  /** Sets the health and notifies all watches. */
  set(status: ServingStatus): void {
    this.current = status
    for (const watcher of this.watchers) watcher.write(status)
  }

  /** Ends all watches: a server that drains waits for its last call, and a watch never ends by itself. */
  close(): void {
    for (const watcher of this.watchers) watcher.end()
  }

  protected check(_question: HealthCheckRequest): ServingStatus {
    return this.current
  }

  /** The watch stays open: its end would mean that the health is unknown. */
  protected watch(watcher: HealthWatcher): void {
    this.watchers.add(watcher)
    watcher.on('cancelled', () => this.watchers.delete(watcher))
    watcher.write(this.current)
  }
}
