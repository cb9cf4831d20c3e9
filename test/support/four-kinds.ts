import {
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type Server as GrpcServer,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  type status,
} from '@grpc/grpc-js'

const bytes = (value: Buffer) => value
const CODEC = {
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
}

/** Long enough for a busy machine: a call that takes longer has failed. */
const DEADLINE_MS = 30_000

export const PATHS = {
  Unary: '/test.Kinds/Unary',
  Collect: '/test.Kinds/Collect',
  Burst: '/test.Kinds/Burst',
  Chat: '/test.Kinds/Chat',
} as const

const LARGE = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 }

/**
 * A server with a method of each kind, with raw bytes as messages. Unary returns the request, and its metadata as
 * headers and trailers. Collect returns the number of bytes. Burst sends the messages that its request describes
 * (`COUNT SIZE`). Chat returns each message.
 */
export class FourKinds implements AsyncDisposable {
  /** Number of calls cancelled at the server. */
  cancelled = 0
  /** Number of calls open at the server. */
  open = 0
  calls = 0
  /** Number of reply bytes that Burst has written to its connection. */
  sentBytes = 0
  /** While set, Unary withholds its replies until `answer`. */
  isHoldingBack = false
  readonly lastMetadata: { of?: Metadata; deadlineMs?: number; host?: string } = {}
  private readonly waiting: (() => void)[] = []

  private constructor(
    private readonly server: GrpcServer,
    readonly addr: string,
  ) {}

  static async start({ listen = '127.0.0.1:0', options = {} } = {}): Promise<FourKinds> {
    const server = new Server({ ...LARGE, ...options })
    const own: { backend?: FourKinds } = {}
    server.addService(
      {
        Unary: { path: PATHS.Unary, requestStream: false, responseStream: false, ...CODEC },
        Collect: { path: PATHS.Collect, requestStream: true, responseStream: false, ...CODEC },
        Burst: { path: PATHS.Burst, requestStream: false, responseStream: true, ...CODEC },
        Chat: { path: PATHS.Chat, requestStream: true, responseStream: true, ...CODEC },
      },
      {
        Unary: (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) =>
          own.backend?.unary(call, reply),
        Collect: (call: ServerReadableStream<Buffer, Buffer>, reply: sendUnaryData<Buffer>) =>
          own.backend?.collect(call, reply),
        Burst: (call: ServerWritableStream<Buffer, Buffer>) => void own.backend?.burst(call),
        Chat: (call: ServerDuplexStream<Buffer, Buffer>) => own.backend?.chat(call),
      },
    )
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(listen, ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      )
    })
    own.backend = new FourKinds(server, listen.startsWith('unix:') ? listen : `127.0.0.1:${port}`)
    return own.backend
  }

  /** Sends the withheld replies, and stops withholding. */
  answer(): void {
    this.isHoldingBack = false
    for (const reply of this.waiting.splice(0)) reply()
  }

  /** Number of Unary calls whose replies are withheld. */
  get held(): number {
    return this.waiting.length
  }

  /** Stops at once. Open calls fail. */
  stop(): void {
    this.server.forceShutdown()
  }

  /** Refuses new calls and lets the open ones finish. */
  drain(): Promise<void> {
    return new Promise((resolve) => this.server.tryShutdown(() => resolve()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
  }

  private note(call: { metadata: Metadata; on(event: 'cancelled', then: () => void): unknown }): void {
    this.calls++
    this.lastMetadata.of = call.metadata
    call.on('cancelled', () => this.cancelled++)
  }

  private unary(call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>): void {
    this.note(call)
    this.lastMetadata.host = call.getHost()
    this.lastMetadata.deadlineMs = Number(call.getDeadline())
    const echoed = new Metadata()
    for (const name of ['x-text', 'x-empty', 'x-data-bin']) {
      for (const value of call.metadata.get(name)) echoed.add(name, value)
    }
    echoed.set('x-addr', this.addr)
    const answer = () => {
      const [wanted] = call.metadata.get('x-status')
      if (wanted !== undefined) {
        reply({ code: Number(wanted), details: 'as asked: ünïcode %', metadata: echoed })
        return
      }
      call.sendMetadata(echoed)
      reply(null, call.request, echoed)
    }
    if (this.isHoldingBack) this.waiting.push(answer)
    else answer()
  }

  private collect(call: ServerReadableStream<Buffer, Buffer>, reply: sendUnaryData<Buffer>): void {
    this.note(call)
    let size = 0
    call.on('data', (chunk: Buffer) => {
      size += chunk.length
    })
    call.on('end', () => reply(null, Buffer.from(String(size))))
  }

  private async burst(call: ServerWritableStream<Buffer, Buffer>): Promise<void> {
    this.note(call)
    const [count = 0, size = 0] = String(call.request).split(' ').map(Number)
    for (let sent = 0; sent < count && !call.cancelled; sent++) {
      this.sentBytes += size
      if (!call.write(Buffer.alloc(size, sent))) await new Promise((resolve) => call.once('drain', resolve))
    }
    call.end()
  }

  private chat(call: ServerDuplexStream<Buffer, Buffer>): void {
    this.note(call)
    this.open++
    call.on('cancelled', () => this.open--)
    call.on('data', (message: Buffer) => call.write(message))
    call.on('end', () => {
      this.open--
      call.end()
    })
  }
}

export interface Answered {
  readonly reply: Buffer | undefined
  readonly code: status
  readonly details: string
  readonly headers: Metadata
  readonly trailers: Metadata
  /** The address of the backend, from its reply. */
  readonly addr: string
}

/** Makes a unary call. Also resolves if the call fails. */
export function unary(
  client: Client,
  { request = Buffer.from('hello'), metadata = new Metadata(), deadlineMs = DEADLINE_MS } = {},
): Promise<Answered> {
  return new Promise((resolve) => {
    const seen: { headers: Metadata; reply?: Buffer | undefined } = { headers: new Metadata() }
    const call = client.makeUnaryRequest<Buffer, Buffer>(
      ...([PATHS.Unary, bytes, bytes, request, metadata, { deadline: Date.now() + deadlineMs }] as const),
      (_, reply) => {
        seen.reply = reply
      },
    )
    call.on('metadata', (headers: Metadata) => {
      seen.headers = headers
    })
    call.on('status', ({ code, details, metadata: trailers }) =>
      setImmediate(() => {
        const [addr = ''] = trailers.get('x-addr')
        resolve({ reply: seen.reply, code, details, headers: seen.headers, trailers, addr: String(addr) })
      }),
    )
  })
}

export function burst(client: Client, count: number, size: number): ClientReadableStream<Buffer> {
  const deadline = Date.now() + DEADLINE_MS
  const request = Buffer.from(`${count} ${size}`)
  return client.makeServerStreamRequest<Buffer, Buffer>(PATHS.Burst, bytes, bytes, request, { deadline })
}

export function chat(client: Client, metadata = new Metadata()): ClientDuplexStream<Buffer, Buffer> {
  return client.makeBidiStreamRequest<Buffer, Buffer>(PATHS.Chat, bytes, bytes, metadata)
}

/** Sends messages of these sizes. Returns the number of bytes that the server counted. */
export function collect(client: Client, sizes: readonly number[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = client.makeClientStreamRequest<Buffer, Buffer>(
      PATHS.Collect,
      bytes,
      bytes,
      (error, reply) => (error ? reject(error) : resolve(String(reply))),
    )
    for (const size of sizes) call.write(Buffer.alloc(size, 1))
    call.end()
  })
}

/** The status of a stream at its end. */
export function ended(call: {
  on(event: 'status', then: (status: { code: status; details: string }) => void): unknown
}) {
  return new Promise<{ code: status; details: string }>((resolve) => call.on('status', resolve))
}
