import type { OpenStream } from '../grpc/health/watch.js'
import { status } from '../grpc/status-code.js'
import type { Connection } from './connection.js'
import { statusOfReset } from './status.js'

/** Starts server-streaming calls over a connection. Messages of one small request and small replies. */
export function streamsOver(connection: Connection, scheme: 'http' | 'https'): OpenStream {
  return (path, request, events) => {
    const stream = connection.request({
      ':method': 'POST',
      ':scheme': scheme,
      ':authority': 'health',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    if (!stream) {
      queueMicrotask(() => events.ended({ code: status.UNAVAILABLE, details: connection.reason }))
      return { cancel: () => undefined }
    }
    let ended: { code: status; details: string } | null = null
    let bytes: Buffer = Buffer.alloc(0)
    const note = (headers: Readonly<Record<string, unknown>>) => {
      const { 'grpc-status': code, 'grpc-message': details = '' } = headers
      if (code !== undefined) ended = { code: Number(code), details: String(details) }
    }
    stream
      .on('response', note)
      .on('trailers', note)
      .on('data', (chunk: Buffer) => {
        bytes = messagesOf(Buffer.concat([bytes, chunk]), (message) => events.message(message))
      })
      .on('error', () => {
        // The stream closes, by an error code that says why.
      })
      .once('close', () => {
        const details = connection.isLost ? connection.reason : 'the stream was reset'
        events.ended(ended ?? { code: statusOfReset(stream.rstCode), details })
      })
    stream.end(framed(request))
    return { cancel: () => stream.close() }
  }
}

/** A message with its gRPC prefix: not compressed, and its length. */
function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

/** Reads whole messages. @returns the rest */
function messagesOf(bytes: Buffer, take: (message: Buffer) => void): Buffer {
  let rest = bytes
  while (rest.length >= 5) {
    const end = 5 + rest.readUInt32BE(1)
    if (rest.length < end) break
    take(rest.subarray(5, end))
    rest = rest.subarray(end)
  }
  return rest
}
