import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http2'
import { type ClientHttp2Session, connect, createServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'

/** Error that replaces etcd’s own answer. */
export interface Refusal {
  /** Status code of gRPC. */
  readonly code: number
  readonly message: string
}

/** A gRPC proxy in front of one etcd member that refuses requests of some methods with an error like etcd’s. */
export class RefusingProxy implements AsyncDisposable {
  private refusal: Refusal | null = null
  private methods: RegExp = /^$/

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    private readonly upstream: ClientHttp2Session,
  ) {
    server.on('stream', (stream, headers) => this.pass(stream, headers))
  }

  /** @param target `host:port` */
  static async start(target: string): Promise<RefusingProxy> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const upstream = connect(`http://${target}`)
    upstream.on('error', () => undefined)
    return new RefusingProxy(server, upstream)
  }

  get endpoint(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** @param methods matches the methods whose requests are refused from now on, such as `/Txn|LeaseGrant/` */
  refuse(methods: RegExp, refusal: Refusal): void {
    this.methods = methods
    this.refusal = refusal
  }

  accept(): void {
    this.refusal = null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.upstream.destroy()
    this.server.close()
  }

  private pass(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', () => undefined)
    const { refusal } = this
    if (refusal && this.methods.test(String(headers[':path']))) {
      const status = { 'grpc-status': String(refusal.code), 'grpc-message': encodeURI(refusal.message) }
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...status }, { endStream: true })
      return
    }
    const request = this.upstream.request(headers)
    let trailers: IncomingHttpHeaders = {}
    request.on('error', () => stream.close())
    request.on('trailers', (received) => {
      trailers = received
    })
    request.on('response', (response) => {
      if (stream.destroyed) return
      // A trailers-only response has its status in the headers.
      if (response['grpc-status'] !== undefined) {
        stream.respond(response, { endStream: true })
        return
      }
      stream.respond(response, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers(trailers))
      request.pipe(stream)
    })
    stream.on('close', () => request.close())
    stream.pipe(request)
  }
}
