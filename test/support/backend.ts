import { type Metadata, Server, ServerCredentials, type ServerWritableStream, status } from '@grpc/grpc-js'
import { DisturbedHealth } from './disturbed-health.js'

const bytes = (value: Buffer) => value
const CODEC = {
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
}

type Called = { readonly metadata: Metadata; getHost(): string }
type Reply = (error: object | null, value?: Buffer) => void

export const ECHO = '/test.Backend/Echo'
export const HOLD = '/test.Backend/Hold'

/**
 * A server that answers with its own address, keeps streams open until `release`, and records the calls that it
 * receives.
 */
export class Backend implements AsyncDisposable {
  calls = 0
  /** While set, every Echo fails with UNAVAILABLE. */
  isFailing = false
  /** The headers of the last call. */
  lastHeaders: Metadata | null = null
  /** The `:authority` of the last call. */
  lastHost = ''
  private readonly held = new Set<ServerWritableStream<Buffer, Buffer>>()
  /** Withheld replies of Echo calls. */
  private readonly waiting: (() => void)[] = []
  /** While set, Echo withholds its replies until `answer`. */
  isHoldingBack = false

  private constructor(
    private readonly server: Server,
    readonly addr: string,
    /** Null if the server has no grpc.health.v1. */
    readonly health: DisturbedHealth | null,
  ) {}

  static async start({ health = true, listen = '127.0.0.1:0' } = {}): Promise<Backend> {
    const server = new Server()
    const own: { backend?: Backend } = {}
    server.addService(
      {
        Echo: { path: ECHO, requestStream: false, responseStream: false, ...CODEC },
        Hold: { path: HOLD, requestStream: false, responseStream: true, ...CODEC },
      },
      {
        Echo: (call: Called, reply: Reply) => own.backend?.echo(call, reply),
        Hold: (call: ServerWritableStream<Buffer, Buffer>) => own.backend?.hold(call),
      },
    )
    const answersHealth = health ? new DisturbedHealth(server) : null
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(listen, ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      )
    })
    const addr = listen.startsWith('unix:') ? listen : `127.0.0.1:${port}`
    own.backend = new Backend(server, addr, answersHealth)
    return own.backend
  }

  /** Starts `count` backends on different ports. */
  static startMany(count: number, options: { health?: boolean } = {}): Promise<Backend[]> {
    return Promise.all(Array.from({ length: count }, () => Backend.start(options)))
  }

  /** Number of open streams at this backend. */
  get streams(): number {
    return this.held.size
  }

  /** Ends every held stream with a last message. */
  release(): void {
    for (const call of this.held) {
      call.write(Buffer.from('last'))
      call.end()
    }
    this.held.clear()
  }

  /** Sends the withheld replies, and stops withholding. */
  answer(): void {
    this.isHoldingBack = false
    for (const reply of this.waiting.splice(0)) reply()
  }

  stop(): void {
    this.server.forceShutdown()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
  }

  private echo(call: Called, reply: Reply): void {
    this.calls++
    this.lastHeaders = call.metadata
    this.lastHost = call.getHost()
    const answer = () => {
      if (this.isFailing) reply({ code: status.UNAVAILABLE, details: 'failing on request' })
      else reply(null, Buffer.from(this.addr))
    }
    if (this.isHoldingBack) this.waiting.push(answer)
    else answer()
  }

  private hold(call: ServerWritableStream<Buffer, Buffer>): void {
    this.held.add(call)
    call.on('cancelled', () => this.held.delete(call))
    call.write(Buffer.from(this.addr))
  }
}
