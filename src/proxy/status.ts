import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { status } from '../grpc/protocol.js'

/** The status with which the proxy itself ends a call. */
export interface GrpcStatus {
  readonly code: status
  readonly details: string
}

/** A status as trailers. Details are percent-encoded, as the gRPC over HTTP/2 specification requires. */
export function trailersOf({ code, details }: GrpcStatus): OutgoingHttpHeaders {
  return { 'grpc-status': String(code), 'grpc-message': encoded(details) }
}

/** Node has no event for a sent END_STREAM, so it is polled. */
const SENT_POLL_MS = 20

/** Ends a call that has no reply yet with a status, by a single HEADERS frame. */
export function refuse(stream: ServerHttp2Stream, status: GrpcStatus): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return
  const headers = { ':status': 200, 'content-type': 'application/grpc', ...trailersOf(status) }
  stream.once('finish', () => endReading(stream))
  stream.respond(headers, WHOLE_REPLY)
}

/** Options of `respond` for a reply of headers only. No `date` header: it is for caches, which gRPC does not use. */
export const WHOLE_REPLY = { endStream: true, sendDate: false }

/**
 * Resets the request after END_STREAM of the reply was sent, because the rest of the request is not needed (RFC 9113,
 * 8.1). Until then the request is discarded. Node emits 'finish' too early while a window is full, and from Node 22 on
 * a reset overtakes data that is still to be sent.
 */
export function endReading(stream: ServerHttp2Stream): void {
  if (stream.closed || stream.destroyed) return
  stream.resume()
  if (stream.readableEnded) return
  const isSent = stream.state.state === constants.NGHTTP2_STREAM_STATE_HALF_CLOSED_LOCAL
  if (isSent) stream.close(constants.NGHTTP2_NO_ERROR)
  else setTimeout(endReading, SENT_POLL_MS, stream).unref()
}

/** The status of a call whose stream the server reset: the mapping of HTTP/2 error codes in gRPC over HTTP/2. */
export function statusOfReset(rstCode: number): status {
  return BY_ERROR_CODE[rstCode] ?? status.INTERNAL
}

/** The status of a reply without a gRPC status: the mapping of HTTP statuses in gRPC over HTTP/2. */
export function statusOfHttp(http: number): status {
  return BY_HTTP_STATUS[http] ?? status.UNKNOWN
}

const BY_ERROR_CODE: Readonly<Record<number, status>> = {
  [constants.NGHTTP2_REFUSED_STREAM]: status.UNAVAILABLE,
  [constants.NGHTTP2_CANCEL]: status.CANCELLED,
  [constants.NGHTTP2_ENHANCE_YOUR_CALM]: status.RESOURCE_EXHAUSTED,
  [constants.NGHTTP2_INADEQUATE_SECURITY]: status.PERMISSION_DENIED,
}

const BY_HTTP_STATUS: Readonly<Record<number, status>> = {
  400: status.INTERNAL,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.UNIMPLEMENTED,
  429: status.UNAVAILABLE,
  502: status.UNAVAILABLE,
  503: status.UNAVAILABLE,
  504: status.UNAVAILABLE,
}

/** Decodes a `grpc-message`. A text with an invalid encoding is returned unchanged. */
export function detailsOf(message: string): string {
  try {
    return decodeURIComponent(message)
  } catch {
    return message
  }
}

function encoded(details: string): string {
  const bytes = Buffer.from(details)
  return Array.from(bytes, (byte) =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('')
}
