import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'

const PREFACE_BYTES = 24
const PREFIX_BYTES = 9

const TYPE = { headers: 1, settings: 4 }
const FLAG = { ack: 1, endStream: 1, endHeaders: 4 }

export type HeaderList = readonly (readonly [name: string, value: string])[]

/** A gRPC server that writes its own HTTP/2 frames, for headers that Node's server refuses to send. */
export class FrameBackend implements AsyncDisposable {
  private readonly sockets = new Set<Socket>()

  private constructor(
    private readonly server: Server,
    readonly addr: string,
  ) {}

  /** @param trailers of each reply, which has no message */
  static async start(trailers: HeaderList): Promise<FrameBackend> {
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const backend = new FrameBackend(server, `127.0.0.1:${(server.address() as AddressInfo).port}`)
    server.on('connection', (socket) => {
      backend.sockets.add(socket)
      serve(socket, trailers)
    })
    return backend
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    this.server.close()
  }
}

function serve(socket: Socket, trailers: HeaderList): void {
  let bytes: Buffer = Buffer.alloc(0)
  let isGreeted = false
  socket.on('error', () => undefined)
  socket.write(frame(TYPE.settings, 0, 0, Buffer.alloc(0)))
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
    if (!isGreeted) {
      if (bytes.length < PREFACE_BYTES) return
      isGreeted = true
      bytes = bytes.subarray(PREFACE_BYTES)
    }
    while (bytes.length >= PREFIX_BYTES) {
      const end = PREFIX_BYTES + bytes.readUIntBE(0, 3)
      if (bytes.length < end) return
      const [type, flags, id] = [bytes[3], bytes[4] ?? 0, bytes.readUInt32BE(5)]
      bytes = bytes.subarray(end)
      if (type === TYPE.settings && (flags & FLAG.ack) === 0)
        socket.write(frame(TYPE.settings, FLAG.ack, 0, Buffer.alloc(0)))
      if (type === TYPE.headers) reply(socket, id, trailers)
    }
  })
}

function reply(socket: Socket, id: number, trailers: HeaderList): void {
  const headers = block([
    [':status', '200'],
    ['content-type', 'application/grpc'],
  ])
  socket.write(frame(TYPE.headers, FLAG.endHeaders, id, headers))
  socket.write(frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, id, block(trailers)))
}

function frame(type: number, flags: number, id: number, payload: Buffer): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.writeUIntBE(payload.length, 0, 3)
  prefix[3] = type
  prefix[4] = flags
  prefix.writeUInt32BE(id, 5)
  return Buffer.concat([prefix, payload])
}

/** Literal fields without indexing or Huffman coding (RFC 7541, 6.2.2), each shorter than 127 bytes. */
function block(list: HeaderList): Buffer {
  return Buffer.concat(
    list.flatMap(([name, value]) => [
      Buffer.from([0, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value),
    ]),
  )
}
