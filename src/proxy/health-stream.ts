import { constants } from 'node:http2'
import type { OpenStream } from '../grpc/health/watch.js'
import { status } from '../grpc/protocol.js'
import type { Connection } from './connection.js'
import { detailsOf, type GrpcStatus, statusOfHttp, statusOfReset } from './status.js'

/** Maximum size of a message: a reply about health has a few bytes. */
const MAX_MESSAGE_BYTES = 4 * 2 ** 10

/** Returns a function that starts server-streaming calls over a connection, for small requests and replies. */
export function streamsOver(
  connection: Connection,
  { scheme, authority }: { readonly scheme: 'http' | 'https'; readonly authority: string },
): OpenStream {
  return (path, request, events) => {
    const stream = connection.request({
      ':method': 'POST',
      ':scheme': scheme,
      ':authority': authority,
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    if (!stream) {
      queueMicrotask(() => events.ended({ code: status.UNAVAILABLE, details: connection.reason }))
      return { cancel: () => undefined }
    }
    let ended: GrpcStatus | null = null
    let bytes: Buffer = Buffer.alloc(0)
    const note = (headers: Readonly<Record<string, unknown>>) => {
      const { 'grpc-status': code, 'grpc-message': details = '' } = headers
      if (code !== undefined) ended ??= { code: Number(code), details: detailsOf(String(details)) }
    }
    stream
      .on('response', (headers) => {
        note(headers)
        const { ':status': http = 200 } = headers
        if (http !== 200) ended ??= { code: statusOfHttp(http), details: `HTTP status ${http}` }
      })
      .on('trailers', note)
      .on('data', (chunk: Buffer) => {
        if (ended) return
        try {
          bytes = messagesOf(Buffer.concat([bytes, chunk]), (message) => events.message(message))
        } catch (thrown) {
          ended = {
            code: status.INTERNAL,
            details: `its reply cannot be read: ${(thrown as Error).message}`,
          }
          stream.close(constants.NGHTTP2_CANCEL)
        }
      })
      .on('error', () => {
        // `close` follows, with the error code.
      })
      .once('close', () => {
        const details = connection.isLost ? connection.reason : 'the stream was reset'
        events.ended(ended ?? { code: statusOfReset(stream.rstCode), details })
      })
    stream.end(framed(request))
    return { cancel: () => stream.close() }
  }
}

/** A message with its gRPC prefix: a zero byte, which means not compressed, and the length. */
function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

/** Reads complete messages. @returns the bytes after them @throws for a message that is too long, or compressed */
function messagesOf(bytes: Buffer, take: (message: Buffer) => void): Buffer {
  let rest = bytes
  while (rest.length >= 5) {
    const length = rest.readUInt32BE(1)
    if (rest[0] !== 0) throw new Error('the message is compressed')
    if (length > MAX_MESSAGE_BYTES) throw new Error(`the message has ${length} bytes`)
    const end = 5 + length
    if (rest.length < end) break
    take(rest.subarray(5, end))
    rest = rest.subarray(end)
  }
  return rest
}
