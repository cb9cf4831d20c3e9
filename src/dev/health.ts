import type { Server, ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js'
import {
  HEALTH_PATHS,
  type HealthCheckRequest,
  healthRequest,
  healthResponse,
  type ServingStatus,
} from '../grpc/health/protocol.js'

export type HealthWatcher = ServerWritableStream<HealthCheckRequest, ServingStatus>

/** Answers grpc.health.v1, Check and Watch, for whatever service is asked about: the server's own health. */
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

  /** From now on; who watches is told. */
  set(status: ServingStatus): void {
    this.current = status
    for (const watcher of this.watchers) watcher.write(status)
  }

  /** Ends every watch, for a server that waits for its last call. */
  close(): void {
    for (const watcher of this.watchers) watcher.end()
  }

  protected check(_question: HealthCheckRequest): ServingStatus {
    return this.current
  }

  /** A watch stays open: its end would mean that nothing is known. */
  protected watch(watcher: HealthWatcher): void {
    this.watchers.add(watcher)
    watcher.on('cancelled', () => this.watchers.delete(watcher))
    watcher.write(this.current)
  }
}
