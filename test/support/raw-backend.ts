import { once } from 'node:events'
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'

const REPLY = { ':status': 200, 'content-type': 'application/grpc' }

/** A gRPC server on HTTP/2 frames: a test determines the answer to each stream. */
export class RawBackend implements AsyncDisposable {
  /** Number of received streams. */
  streams = 0
  readonly sessions: ServerHttp2Session[] = []

  private constructor(
    private readonly server: Http2Server,
    readonly addr: string,
  ) {}

  /** @param take handles each stream, with its number from 1 */
  static async start(take: (stream: ServerHttp2Stream, number: number) => void): Promise<RawBackend> {
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const backend = new RawBackend(server, `127.0.0.1:${(server.address() as AddressInfo).port}`)
    server.on('session', (session) => {
      backend.sessions.push(session)
      session.on('error', () => undefined)
    })
    server.on('stream', (stream) => {
      stream.on('error', () => undefined)
      take(stream, ++backend.streams)
    })
    return backend
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.sessions) session.destroy()
    this.server.close()
  }
}

/** Answers a stream with OK and the received bytes. */
export function echo(stream: ServerHttp2Stream): void {
  stream.respond(REPLY, { waitForTrailers: true })
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.pipe(stream)
}
