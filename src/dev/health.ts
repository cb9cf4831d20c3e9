import type { Server, ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js'
import {
  HEALTH_PATHS,
  type HealthQuestion,
  healthRequest,
  healthResponse,
  type ServingStatus,
} from '../grpc/health-protocol.js'

/** Answers grpc.health.v1, Check and Watch, for whatever service is asked about: the server's own health. */
export class Health {
  private current: ServingStatus = 'SERVING'
  private readonly watches = new Set<ServerWritableStream<HealthQuestion, ServingStatus>>()

  constructor(server: Server) {
    const method = (path: string, responseStream: boolean) => ({
      ...{ path, requestStream: false, responseStream },
      ...{ requestSerialize: healthRequest.encode, requestDeserialize: healthRequest.decode },
      ...{ responseSerialize: healthResponse.encode, responseDeserialize: healthResponse.decode },
    })
    server.addService(
      { Check: method(HEALTH_PATHS.Check, false), Watch: method(HEALTH_PATHS.Watch, true) },
      {
        Check: (_: ServerUnaryCall<HealthQuestion, ServingStatus>, reply: sendUnaryData<ServingStatus>) =>
          reply(null, this.current),
        // A watch stays open: its end would mean that nothing is known.
        Watch: (call: ServerWritableStream<HealthQuestion, ServingStatus>) => {
          this.watches.add(call)
          call.on('cancelled', () => this.watches.delete(call))
          call.write(this.current)
        },
      },
    )
  }

  /** From now on; who watches is told. */
  set(status: ServingStatus): void {
    this.current = status
    for (const watch of this.watches) watch.write(status)
  }

  /** Ends every watch, for a server that waits for its last call. */
  close(): void {
    for (const watch of this.watches) watch.end()
  }
}
