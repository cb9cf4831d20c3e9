import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from './ports.js'

export type Direction = 'toServer' | 'toClient'

const DIRECTIONS = ['toServer', 'toClient'] as const

/** What is done to the bytes of one direction. */
interface Passage {
  /** Nothing gets through; what was sent meanwhile arrives late, as lost packets do that are sent again. */
  isHeld: boolean
  /** It is held once so many bytes more have passed. */
  holdAfterBytes: number
  /** It is held from a piece with this text on. */
  holdFrom: string | null
  delayMs: number
  bytesPerSecond: number
  /** All connections are cut when so many bytes more have passed. */
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

/** How often a held or throttled connection looks whether it may go on. */
const LOOK_PERIOD_MS = 10

/** A throttled connection gets its bytes in so many parts. */
const PARTS_PER_SECOND = 20

/**
 * A TCP proxy before one etcd member, on a loopback port of its own that it keeps, which does to connections
 * what networks do. A fault lasts until `heal`, and is the same for those connections that come while it lasts.
 */
export class FaultProxy implements AsyncDisposable {
  /** Bytes that got through. */
  readonly passed: Record<Direction, number> = { toServer: 0, toClient: 0 }
  /** When each connection was taken from a client, by `performance.now()`. */
  readonly acceptedAtMs: number[] = []
  /** How often `cutAfter` has cut. */
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

  /** Connections taken from clients so far. */
  get accepted(): number {
    return this.acceptedAtMs.length
  }

  /** Ends every connection that stands. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  /** The connections that stand carry nothing any more, as behind a NAT that has forgotten them; new ones work. */
  forget(): void {
    for (const socket of this.sockets) this.forgotten.add(socket)
  }

  /** Ends every connection once so many bytes have passed in a direction, and again after as many more. */
  cutAfter(direction: Direction, bytes: number, times = 1): void {
    this.passages[direction].cut = { afterBytes: bytes, passed: 0, timesLeft: times }
  }

  /** Connections are taken, and nothing gets through: no answer, and no end of the connection either. */
  blackhole(...directions: Direction[]): void {
    for (const direction of directions.length > 0 ? directions : DIRECTIONS) {
      this.passages[direction].isHeld = true
    }
  }

  /** Holds a direction back once so many bytes more have passed in it. */
  holdAfter(direction: Direction, bytes: number): void {
    this.passages[direction].holdAfterBytes = bytes
  }

  /** Holds a direction back from the first piece with this text on: a write, by the key or value that it alone names. */
  holdFrom(direction: Direction, text: string): void {
    this.passages[direction].holdFrom = text
  }

  isHolding(direction: Direction): boolean {
    return this.passages[direction].isHeld
  }

  /** Each piece arrives this much later, at least; pieces that are sent meanwhile arrive together. */
  delay(delayMs: number, ...directions: Direction[]): void {
    for (const direction of directions.length > 0 ? directions : DIRECTIONS) {
      this.passages[direction].delayMs = delayMs
    }
  }

  limit(direction: Direction, bytesPerSecond: number): void {
    this.passages[direction].bytesPerSecond = bytesPerSecond
  }

  /** Nobody listens any more: new connections are refused, and those that stand are cut. */
  async refuse(): Promise<void> {
    const { server } = this
    this.server = null
    if (server === null) return
    const closed = once(server, 'close')
    server.close()
    this.cut()
    await closed
  }

  /** Connections are taken and ended at once, as by a load balancer without a live backend; those that stand are cut. */
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

  /** Ends all faults; what was held back is delivered to whoever still waits for it. */
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
      // Whoever reads from the socket learns that it failed.
      socket.on('error', () => undefined)
    }
    void this.pass('toServer', client, server)
    void this.pass('toClient', server, client)
  }

  private async pass(direction: Direction, from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
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

  /** How many bytes may go at a time: a cut comes after the very byte. */
  private admits(direction: Direction): number {
    const { cut, bytesPerSecond, holdAfterBytes } = this.passages[direction]
    const untilCut = cut ? cut.afterBytes - cut.passed : Number.POSITIVE_INFINITY
    return Math.max(1, Math.floor(Math.min(untilCut, holdAfterBytes, bytesPerSecond / PARTS_PER_SECOND)))
  }

  private async admit(direction: Direction, bytes: number, to: Socket): Promise<void> {
    const { delayMs, bytesPerSecond } = this.passages[direction]
    if (delayMs > 0) await delay(delayMs)
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

function send(part: Buffer, to: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    to.write(part, (error) => (error ? reject(error) : resolve()))
  })
}
