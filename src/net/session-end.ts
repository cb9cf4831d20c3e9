import { connectionFailure, socketFailure } from './connection-failure.js'
import { CONNECTION_CLAUSES } from './connection-problem.js'

/** The part of Node's ClientHttp2Session that shows why it ended. */
export interface Session {
  prependListener(event: 'goaway' | 'error', listener: (this: object, cause: unknown) => void): unknown
}

/**
 * The clause for a session that ended without a GOAWAY or an error: the server or an intermediary closed the
 * connection.
 */
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
 * Why sessions ended, by session. Because of this map, all sessions share the same listeners: closures for each session
 * would take a kilobyte more for each of thousands of connections.
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

/** Keeps the first cause of a session. */
function note(session: object, cause: string): void {
  if (!causes.has(session)) causes.set(session, cause)
}

/**
 * Sessions that have the listeners. A session may be passed several times, because channels of one process share
 * connections.
 */
const watched = new WeakSet<object>()

/** Records why this session ends, for `sessionEnd`. Idempotent. */
export function watchSession(session: Session): void {
  if (watched.has(session)) return
  watched.add(session)
  session.prependListener('goaway', noteGoaway)
  session.prependListener('error', noteError)
}

/** Why a watched session ended, as a clause. */
export function sessionEnd(session: object): string {
  return causes.get(session) ?? CLOSED
}
