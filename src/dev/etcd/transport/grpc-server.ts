import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Code, RpcError } from '../errors.js'
import { FrameReader } from './frames.js'
import type { Methods, ServerStream, StreamMethod, UnaryMethod } from './service.js'

/**
 * A gRPC server on node:http2 (gRPC over HTTP/2), without compression and without TLS. It is used instead of grpc-js
 * because fan-out dominates the cost of a watch: here the messages for many watchers are sent as one write per stream.
 */
export interface GrpcServer {
  readonly port: number
  /** Ends all connections. */
  close(): Promise<void>
}

const STATUS_OK = { 'grpc-status': '0' }

const RESPONSE_HEADERS = { ':status': 200, 'content-type': 'application/grpc' }

/** Large enough for any accepted request, so that a large put needs no round of window updates. */
const WINDOW_BYTES = 4 * 1024 * 1024

/**
 * The number of bytes that may wait in a stream before its watchers are held back; they catch up from the event log.
 */
const CONGESTION_BYTES = 8 * 1024 * 1024

/** @throws the system's own error, with its `code`: EADDRINUSE, EACCES, EADDRNOTAVAIL, ENOTFOUND. */
export async function startGrpcServer(host: string, port: number, methods: Methods): Promise<GrpcServer> {
  const server = createServer({
    settings: { initialWindowSize: WINDOW_BYTES, maxConcurrentStreams: 0x7fff_ffff },
    // Unsent responses count as memory of the session. A client that reads one stream slowly must not have its other
    // calls refused.
    maxSessionMemory: Number.MAX_SAFE_INTEGER,
  })
  const sessions = new Set<{ destroy(): void }>()
  server.on('session', (session) => {
    sessions.add(session)
    session.setLocalWindowSize(WINDOW_BYTES)
    session.on('close', () => sessions.delete(session))
    // A broken connection ends its streams, which notify their handlers.
    session.on('error', () => session.destroy())
  })
  server.on('stream', (stream, headers) => accept(stream, headers, methods))
  await listen(server, host, port)
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      for (const session of sessions) session.destroy()
    })
  return { port: (server.address() as AddressInfo).port, close }
}

function listen(server: Http2Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function accept(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, methods: Methods): void {
  // An aborted stream emits an error, then 'close', whose listener cleans up.
  stream.on('error', () => stream.close())
  if (stream.closed) return
  if (!headers['content-type']?.startsWith('application/grpc')) {
    stream.respond({ ':status': 415 }, { endStream: true })
    return
  }
  const path = String(headers[':path'])
  const unary = methods.unary[path]
  const streaming = methods.streams[path]
  if (unary) serveUnary(stream, unary)
  else if (streaming) serveStream(stream, streaming)
  else fail(stream, new RpcError(Code.UNIMPLEMENTED, `${path} is not implemented by this registry`))
}

function serveUnary(stream: ServerHttp2Stream, method: UnaryMethod): void {
  const reader = new FrameReader()
  let answered = false
  stream.on('data', (chunk: Buffer) => {
    if (answered) return
    try {
      const [request] = reader.push(chunk)
      if (request === undefined) return
      answered = true
      const response = method(request)
      if (stream.closed) return
      stream.respond(RESPONSE_HEADERS, { waitForTrailers: true })
      sendTrailersAtEnd(stream, STATUS_OK)
      stream.end(response)
    } catch (thrown) {
      answered = true
      fail(stream, thrown)
    }
  })
}

function serveStream(stream: ServerHttp2Stream, method: StreamMethod): void {
  const reader = new FrameReader()
  let open = true
  const end = (): void => {
    sendTrailersAtEnd(stream, STATUS_OK)
    stream.end()
  }
  const server: ServerStream = {
    send: (frames) => void (open && stream.write(frames)),
    end: () => void (open && end()),
    get congested() {
      return stream.writableLength > CONGESTION_BYTES
    },
  }
  stream.respond(RESPONSE_HEADERS, { waitForTrailers: true })
  const handler = method(server)
  const close = (): void => {
    if (!open) return
    open = false
    handler.closed()
  }
  stream.on('data', (chunk: Buffer) => {
    if (!open) return
    try {
      for (const message of reader.push(chunk)) handler.message(message)
    } catch (thrown) {
      close()
      fail(stream, thrown)
    }
  })
  stream.on('end', () => void (open && handler.halfClosed()))
  stream.on('drain', () => void (open && handler.drained()))
  stream.on('close', close)
}

/** Ends a call with a status other than OK. */
function fail(stream: ServerHttp2Stream, thrown: unknown): void {
  if (stream.closed) return
  const { code, message } = RpcError.from(thrown)
  // gRPC percent-encodes the status message; encodeURI also encodes more than necessary, which is allowed.
  const trailers = { 'grpc-status': String(code), 'grpc-message': encodeURI(message) }
  if (stream.headersSent) {
    sendTrailersAtEnd(stream, trailers)
    stream.end()
  } else stream.respond({ ...RESPONSE_HEADERS, ...trailers }, { endStream: true })
}

function sendTrailersAtEnd(stream: ServerHttp2Stream, trailers: Readonly<Record<string, string>>): void {
  stream.once('wantTrailers', () => {
    if (!stream.closed) stream.sendTrailers(trailers)
  })
}
