/**
 * The texts of grpc-js that say what no code of it says. Only this file reads them; each names its source in
 * @grpc/grpc-js 1.14. `test/unit/grpc/grpc-js-texts.test.ts` has each as grpc-js makes it.
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
