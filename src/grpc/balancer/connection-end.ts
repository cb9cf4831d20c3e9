import type { experimental } from '@grpc/grpc-js'

/** The part of Node's ClientHttp2Session that tells why it ended. */
interface Session {
  prependOnceListener(event: 'goaway' | 'error', listener: (cause: unknown) => void): unknown
}

/** A connection that ended without a GOAWAY or an error: the server, or something between, closed it. */
const CLOSED = 'closed without GOAWAY'

/** HTTP/2 error codes (RFC 9113, section 7), from 0 on. */
const CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
]

/** Why one connection ended. */
export class ConnectionEnd {
  private cause: string | null = null

  /**
   * grpc-js reports that a connection ended, not why, so this listens to the HTTP/2 session itself. grpc-js
   * attaches the session to its subchannel just after it reports READY, so the listeners come a microtask later;
   * they are prepended, because grpc-js's own listeners report the end at once. Where a version of grpc-js keeps
   * its session elsewhere, the reason is lost and nothing else; `test/e2e/call-dead-endpoints.test.ts` fails then.
   */
  constructor(subchannel: experimental.SubchannelInterface) {
    queueMicrotask(() => {
      const session = sessionOf(subchannel)
      session?.prependOnceListener('goaway', (code) => {
        this.cause ??= `GOAWAY ${CODES[Number(code)] ?? code}`
      })
      session?.prependOnceListener('error', (error) => {
        const { code, message } = error as NodeJS.ErrnoException
        this.cause ??= code === 'ECONNRESET' ? 'connection reset' : message
      })
    })
  }

  get reason(): string {
    return this.cause ?? CLOSED
  }
}

function sessionOf(subchannel: experimental.SubchannelInterface): Session | undefined {
  const real = subchannel.getRealSubchannel() as unknown as { transport?: unknown }
  return (real.transport as { session?: Session } | null | undefined)?.session
}
