import { type Client, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import type { Method } from './descriptors.js'
import { markCall } from './observer.js'

/** How a call ended. */
export interface UnaryOutcome {
  readonly status: string
  readonly statusCode: number
  readonly details: string
  /** The address that the call went to, as the connection has it. */
  readonly peer: string
  /** Canonical proto3 JSON; null unless the status is OK. */
  readonly reply: unknown
}

/** One call, known to the channel's observer by `callId`. Never rejects: a failure is an outcome. */
export function callUnary(
  client: Client,
  method: Method,
  message: Buffer,
  { callId, deadlineMs }: { callId: number; deadlineMs: number },
): Promise<UnaryOutcome> {
  return new Promise((resolve) => {
    const finish = (error: ServiceError | null, bytes?: Buffer) => {
      const statusCode = error?.code ?? status.OK
      const reply = error || !bytes ? null : method.decode(bytes)
      resolve({
        status: status[statusCode] ?? String(statusCode),
        statusCode,
        details: error?.details ?? '',
        peer: call.getPeer(),
        reply,
      })
    }
    const call = client.makeUnaryRequest<Buffer, Buffer>(
      method.path,
      (bytes) => bytes,
      (bytes) => bytes,
      message,
      markCall(new Metadata(), callId),
      { deadline: Date.now() + deadlineMs },
      finish,
    )
  })
}
