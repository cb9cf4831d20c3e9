/**
 * Texts of grpc-js for facts that it has no code for. Only this file reads them; each names its source in
 * @grpc/grpc-js 1.14. `test/integration/grpc-js-texts.test.ts` makes each of them with the installed version.
 */

/** `load-balancer-pick-first.ts`: the error of the last attempt to connect, and what the resolver said before. */
const PICK_FIRST = /^.*Last error: (.*?)(?:\. Resolution note: .*)?$/s

/** `picker.ts` and `load-balancer-pick-first.ts`: the details of calls that had no connection. */
const NO_CONNECTION = /No connection established|Resolution note|SSL routines/

/** `subchannel-call.ts`, mapHttpStatusCode: the status of a reply that is HTTP, but not gRPC. */
const HTTP_STATUS = /^Received HTTP status code (\d+)/

/**
 * The error of an attempt to connect, without what grpc-js puts around it; other texts as they are.
 *
 * @returns empty or `null` where grpc-js has no error: the connection stood and was closed
 */
export function lastError(details: string): string {
  return PICK_FIRST.exec(details)?.[1] ?? details.replace(/\. Resolution note: .*$/s, '')
}

/** How a call failed, where the connection and not the server ended it. */
export type CallFailure = 'no-connection' | 'no-pick' | 'stream-reset' | 'connection-dropped'

/**
 * `subchannel-call.ts`; `picker.ts` and `load-balancer-pick-first.ts`; `resolver-dns.ts`, `internal-channel.ts` and
 * `load-balancing-call.ts`. A stream that was reset comes first: its text may also name the cause (`read EHOSTUNREACH`).
 */
const CALL_FAILURES: readonly (readonly [text: RegExp, failure: CallFailure])[] = [
  [/RST_STREAM/, 'stream-reset'],
  [/Connection dropped/, 'connection-dropped'],
  [/No connection established/, 'no-connection'],
  [/Name resolution failed|Waiting for LB pick/, 'no-pick'],
]

/** Null for an answer of the server, and for texts that do not tell. */
export function callFailure(details: string): CallFailure | null {
  return CALL_FAILURES.find(([pattern]) => pattern.test(details))?.[1] ?? null
}

/** Whether the details of a call's status describe a failed connection rather than the server's answer. */
export function isAboutConnection(details: string): boolean {
  return NO_CONNECTION.test(details)
}

/** `stream-decoder.ts` and `compression-filter.ts`: a message that is above the limit of the channel. */
const OVER_LIMIT = /^Received message .*(?:vs|larger than) (\d+)\)?$/

/**
 * Whether the details of a call's status describe a reply above the limit of this channel. The limit is in the text, so
 * that the words of a server about its own limit are not taken for it.
 */
export function isAboveLimit(details: string, limitBytes: number): boolean {
  return OVER_LIMIT.exec(details)?.[1] === String(limitBytes)
}

/** The status of an HTTP server that is not a gRPC server; null for the details of any other reply. */
export function httpStatusOf(details: string): number | null {
  const code = HTTP_STATUS.exec(details)?.[1]
  return code === undefined ? null : Number(code)
}
