/**
 * Texts by which grpc-js reports facts that have no code. They are matched in this file only. Each comment names the
 * source file of grpc-js 1.14. `test/integration/grpc-js-texts.test.ts` produces each of them with the installed
 * version.
 */

/** `load-balancer-pick-first.ts`: the error of the last attempt to connect, and the resolver's note. */
const PICK_FIRST = /^.*Last error: (?:Error: )?/s
const RESOLUTION_NOTE = /\.? Resolution note:.*$/s

/** `transport.ts`: the time of a failed attempt, after its error. */
const ATTEMPT_TIME = / \(\d{4}-[^()]*Z\)$/

/** `transport.ts`: the error of an attempt for which Node gave none. */
export const NOT_CONNECTED = /Failed to connect/

/** `resolver-dns.ts`: the details of calls to an unknown host. */
export const NOT_RESOLVED = /Name resolution failed/

/**
 * `picker.ts` and `load-balancer-pick-first.ts`: the details of calls that had no connection. OpenSSL's errors are
 * passed on as they are.
 */
const NO_CONNECTION = /No connection established|Resolution note|SSL routines/

/** `subchannel-call.ts`, mapHttpStatusCode: the status of a reply that is HTTP, but not gRPC. */
const HTTP_STATUS = /^Received HTTP status code (\d+)/

/**
 * The error of an attempt to connect, without grpc-js's wrapping; other texts are returned unchanged.
 *
 * @returns null if grpc-js has no error: an established connection was closed
 */
export function lastError(details: string): string | null {
  const error = details.replace(PICK_FIRST, '').replace(RESOLUTION_NOTE, '').replace(ATTEMPT_TIME, '').trim()
  return error === '' || error === 'null' ? null : error
}

/** The failure of a call that was ended by its connection, not by the server. */
export type CallFailure = 'no-connection' | 'no-pick' | 'stream-reset' | 'connection-dropped'

/**
 * `subchannel-call.ts`; `picker.ts` and `load-balancer-pick-first.ts`; `resolver-dns.ts`, `internal-channel.ts` and
 * `load-balancing-call.ts`. A stream that was reset comes first: its text may also name the cause (`read
 * EHOSTUNREACH`).
 */
const CALL_FAILURES: readonly (readonly [text: RegExp, failure: CallFailure])[] = [
  [/RST_STREAM/, 'stream-reset'],
  [/Connection dropped/, 'connection-dropped'],
  [/No connection established/, 'no-connection'],
  [NOT_RESOLVED, 'no-pick'],
  [/Waiting for LB pick/, 'no-pick'],
]

/** The connection's failure in the details of a status; null for an answer of the server, and for other texts. */
export function callFailure(details: string): CallFailure | null {
  return CALL_FAILURES.find(([pattern]) => pattern.test(details))?.[1] ?? null
}

/** Whether the details of a call's status describe a failed connection rather than the server's answer. */
export function isAboutConnection(details: string): boolean {
  return NO_CONNECTION.test(details)
}

/** `stream-decoder.ts` and `compression-filter.ts`: a message above the limit of the channel. */
const OVER_LIMIT = /^Received message .*(?:vs|larger than) (\d+)\)?$/

/**
 * Whether the details of a call's status describe a reply above the limit of this channel. The text contains the
 * limit, so that a server's message about its own limit is not mistaken for it.
 */
export function isAboveLimit(details: string, limitBytes: number): boolean {
  return OVER_LIMIT.exec(details)?.[1] === String(limitBytes)
}

/** The HTTP status of a server that does not speak gRPC; null for the details of any other reply. */
export function httpStatusOf(details: string): number | null {
  const code = HTTP_STATUS.exec(details)?.[1]
  return code === undefined ? null : Number(code)
}
