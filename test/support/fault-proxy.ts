import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { pipeline, Transform } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from './ports.js'

export type Direction = 'toServer' | 'toClient'

const DIRECTIONS = ['toServer', 'toClient'] as const

/** The treatment of the bytes in one direction. */
interface Passage {
  /** Nothing is forwarded. Withheld bytes arrive later, like retransmitted packets. */
  isHeld: boolean
  /** The direction is held once this many further bytes have passed. */
  holdAfterBytes: number
  /** The direction is held from the first piece with this text on. */
  holdFrom: string | null
  delayMs: number
  bytesPerSecond: number
  /** All connections are cut when this many further bytes have passed. */
  cut: { afterBytes: number; passed: number; timesLeft: number } | null
}

const OPEN: Passage = {
  isHeld: false,
  holdAfterBytes: Number.POSITIVE_INFINITY,
  holdFrom: null,
  delayMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  cut: null,
}

/** Polling interval of held and throttled connections in milliseconds. */
const LOOK_PERIOD_MS = 10

/** Number of parts per second in which a throttled connection forwards its bytes. */
const PARTS_PER_SECOND = 20

/**
 * A TCP proxy in front of one etcd member, on a fixed loopback port, which simulates network faults. A fault lasts
 * until `heal`, and also applies to new connections.
 */
export class FaultProxy implements AsyncDisposable {
  /** Number of forwarded bytes. */
  readonly passed: Record<Direction, number> = { toServer: 0, toClient: 0 }
  /** Times at which connections were accepted, by `performance.now()`. */
  readonly acceptedAtMs: number[] = []
  /** Number of cuts by `cutAfter`. */
  cuts = 0

  private readonly passages: Record<Direction, Passage> = { toServer: { ...OPEN }, toClient: { ...OPEN } }
  private readonly sockets = new Set<Socket>()
  private readonly forgotten = new WeakSet<Socket>()
  private isDropping = false
  private server: Server | null = null

  private constructor(
    private readonly port: number,
    private readonly target: { readonly host: string; readonly port: number },
  ) {}

  /** @param target `host:port` */
  static async start(target: string): Promise<FaultProxy> {
    const [host = '', port] = target.split(':')
    const [own = 0] = await freePorts(1)
    const proxy = new FaultProxy(own, { host, port: Number(port) })
    await proxy.accept()
    return proxy
  }

  get endpoint(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Number of connections accepted so far. */
  get accepted(): number {
    return this.acceptedAtMs.length
  }

  /** Closes every open connection. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  /** Forwards no more bytes on open connections, like a NAT that has forgotten them. New connections work. */
  forget(): void {
    for (const socket of this.sockets) this.forgotten.add(socket)
  }

  /** Closes every connection once this many bytes have passed in a direction, `times` times. */
  cutAfter(direction: Direction, bytes: number, times = 1): void {
    this.passages[direction].cut = { afterBytes: bytes, passed: 0, timesLeft: times }
  }

  /** Accepts connections and forwards nothing: neither an answer nor the end of a connection. */
  blackhole(...directions: Direction[]): void {
    for (const direction of directions.length > 0 ? directions : DIRECTIONS) {
      this.passages[direction].isHeld = true
    }
  }

  /** Holds a direction once this many further bytes have passed in it. */
  holdAfter(direction: Direction, bytes: number): void {
    this.passages[direction].holdAfterBytes = bytes
  }

  /**
   * Holds a direction from the first piece with this text on. Tests use a key or value that only one write contains.
   */
  holdFrom(direction: Direction, text: string): void {
    this.passages[direction].holdFrom = text
  }

  isHolding(direction: Direction): boolean {
    return this.passages[direction].isHeld
  }

  /** Delays each piece by this time. */
  delay(delayMs: number, ...directions: Direction[]): void {
    for (const direction of directions.length > 0 ? directions : DIRECTIONS) {
      this.passages[direction].delayMs = delayMs
    }
  }

  limit(direction: Direction, bytesPerSecond: number): void {
    this.passages[direction].bytesPerSecond = bytesPerSecond
  }

  /** Stops listening: new connections are refused, and open ones are cut. */
  async refuse(): Promise<void> {
    const { server } = this
    this.server = null
    if (server === null) return
    const closed = once(server, 'close')
    server.close()
    this.cut()
    await closed
  }

  /**
   * Closes connections immediately after accepting them, like a load balancer without a live backend. Open ones are
   * cut.
   */
  drop(): void {
    this.isDropping = true
    this.cut()
  }

  /** Listens again after `refuse`. */
  async accept(): Promise<void> {
    if (this.server !== null) return
    const server = createServer((client) => this.connect(client)).listen(this.port, '127.0.0.1')
    await once(server, 'listening')
    this.server = server
  }

  /** Ends all faults. Withheld bytes are delivered on connections that are still open. */
  async heal(): Promise<void> {
    for (const direction of DIRECTIONS) this.passages[direction] = { ...OPEN }
    this.isDropping = false
    await this.accept()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.refuse()
  }

  private connect(client: Socket): void {
    this.acceptedAtMs.push(performance.now())
    if (this.isDropping) {
      client.destroy()
      return
    }
    const server = connect(this.target.port, this.target.host)
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      this.sockets.add(socket)
      socket.on('close', () => this.sockets.delete(socket))
      // The reader of the socket receives the error.
      socket.on('error', () => undefined)
    }
    void this.pass('toServer', client, server)
    void this.pass('toClient', server, client)
  }

  private async pass(direction: Direction, from: Socket, to: Socket): Promise<void> {
    try {
      for await (const { chunk, readAtMs } of timed(from)) {
        await this.late(direction, readAtMs)
        const { holdFrom } = this.passages[direction]
        if (holdFrom !== null && chunk.includes(holdFrom)) this.passages[direction].isHeld = true
        for (let rest = chunk; rest.length > 0; ) {
          const part = rest.subarray(0, this.admits(direction))
          rest = rest.subarray(part.length)
          await this.admit(direction, part.length, to)
          await send(part, to)
          this.count(direction, part.length)
        }
      }
      await this.admit(direction, 0, to)
      to.end()
    } catch {
      from.destroy()
      to.destroy()
    }
  }

  /** Number of bytes that may be forwarded now, so that a cut happens at the exact byte. */
  private admits(direction: Direction): number {
    const { cut, bytesPerSecond, holdAfterBytes } = this.passages[direction]
    const untilCut = cut ? cut.afterBytes - cut.passed : Number.POSITIVE_INFINITY
    return Math.max(1, Math.floor(Math.min(untilCut, holdAfterBytes, bytesPerSecond / PARTS_PER_SECOND)))
  }

  /** Waits until a piece has been delayed. Pieces that were read meanwhile have waited as well. */
  private async late(direction: Direction, readAtMs: number): Promise<void> {
    const waitMs = readAtMs + this.passages[direction].delayMs - performance.now()
    if (waitMs > 0) await delay(waitMs)
  }

  private async admit(direction: Direction, bytes: number, to: Socket): Promise<void> {
    const { bytesPerSecond } = this.passages[direction]
    if (Number.isFinite(bytesPerSecond)) await delay((bytes / bytesPerSecond) * 1000)
    const isHeld = () => this.passages[direction].isHeld || this.forgotten.has(to)
    while (isHeld() && !to.destroyed) await delay(LOOK_PERIOD_MS)
  }

  private count(direction: Direction, bytes: number): void {
    this.passed[direction] += bytes
    const passage = this.passages[direction]
    passage.holdAfterBytes -= bytes
    if (passage.holdAfterBytes <= 0) passage.isHeld = true
    const { cut } = passage
    if (cut === null) return
    cut.passed += bytes
    if (cut.passed < cut.afterBytes) return
    cut.passed = 0
    cut.timesLeft--
    if (cut.timesLeft === 0) this.passages[direction].cut = null
    this.cuts++
    this.cut()
  }
}

/** Maximum number of pieces that are read and not yet forwarded. */
const MAX_PIECES = 64

interface Piece {
  readonly chunk: Buffer
  readonly readAtMs: number
}

/** The pieces of a socket, each with the time at which it was read, which is before it is taken from the iterator. */
function timed(socket: Socket): AsyncIterable<Piece> {
  const pieces = new Transform({
    readableObjectMode: true,
    readableHighWaterMark: MAX_PIECES,
    transform: (chunk: Buffer, _, done) => done(null, { chunk, readAtMs: performance.now() } satisfies Piece),
  })
  // The iterator throws the error.
  pipeline(socket, pieces, () => undefined)
  return pieces
}

function send(part: Buffer, to: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    to.write(part, (error) => (error ? reject(error) : resolve()))
  })
}
