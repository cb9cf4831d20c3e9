import type { experimental } from '@grpc/grpc-js'
import { connectionFailure, socketFailure } from '../../net/connection-failure.js'
import { CONNECTION_CLAUSES } from '../../net/connection-problem.js'

/** The part of Node's ClientHttp2Session that tells why it ended. */
interface Session {
  prependListener(event: 'goaway' | 'error', listener: (this: object, cause: unknown) => void): unknown
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

/**
 * Why sessions ended. By session, so that all of them share the listeners: with closures of its own, each of thousands
 * of connections would take a kilobyte more.
 */
const causes = new WeakMap<object, string>()

function noteGoaway(this: object, code: unknown): void {
  note(this, `GOAWAY ${CODES[Number(code)] ?? code}`)
}

function noteError(this: object, error: unknown): void {
  const { code = '', message } = error as NodeJS.ErrnoException
  const failure = connectionFailure(code) ?? socketFailure(code)
  note(this, failure === null ? message : CONNECTION_CLAUSES[failure])
}

/** The first cause counts. */
function note(session: object, cause: string): void {
  if (!causes.has(session)) causes.set(session, cause)
}

/** Sessions that are listened to: channels of one process share connections. */
const watched = new WeakSet<object>()

function watch(session: Session): void {
  if (watched.has(session)) return
  watched.add(session)
  session.prependListener('goaway', noteGoaway)
  session.prependListener('error', noteError)
}

/** Why one connection ended. */
export class ConnectionEnd {
  private session: Session | undefined

  /**
   * grpc-js reports that a connection ended, not why, so this listens to the HTTP/2 session itself. grpc-js
   * attaches the session to its subchannel just after it reports READY, so the listeners come a microtask later;
   * they are prepended, because grpc-js's own listeners report the end at once. Where a version of grpc-js keeps
   * its session elsewhere, the reason is lost and nothing else; `test/e2e/call-dead-endpoints.test.ts` fails then.
   */
  constructor(subchannel: experimental.SubchannelInterface) {
    queueMicrotask(() => {
      this.session = sessionOf(subchannel)
      if (this.session) watch(this.session)
    })
  }

  get reason(): string {
    return (this.session && causes.get(this.session)) ?? CLOSED
  }
}

function sessionOf(subchannel: experimental.SubchannelInterface): Session | undefined {
  const real = subchannel.getRealSubchannel() as unknown as { transport?: unknown }
  return (real.transport as { session?: Session } | null | undefined)?.session
}
