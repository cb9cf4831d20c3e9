import { type ChannelOptions, Client, type ClientReadableStream, credentials, Metadata } from '@grpc/grpc-js'
import { type ChannelSettings, channelOptions } from '../../src/grpc/channel-options.js'
import type { RegisteredEndpoint } from '../../src/grpc/resolver/endpoint.js'
import type { Observer } from '../../src/grpc/resolver/observer.js'
import { ECHO, HOLD } from './backend.js'
import { until } from './disco.js'

const bytes = (value: Buffer) => value

/** Long enough for a busy machine; a call that needs it has failed. */
const DEADLINE_MS = 20_000

/** A client of backends, which knows who is in rotation. */
export class Caller implements Disposable, Observer {
  /** Who is picked, by address; two keys on one address are two entries. */
  inRotation: string[] = []
  /** The weights that are followed, by address. */
  weights: ReadonlyMap<string, number> = new Map()
  /** Why endpoints are not picked, by address; null for one that could be. */
  readonly problems = new Map<string, string | null>()
  private readonly client: Client

  constructor(target: string, settings: ChannelSettings = {}, options: ChannelOptions = {}) {
    const all = { ...channelOptions({ ...settings, observer: this }), ...options }
    this.client = new Client(target, credentials.createInsecure(), all)
    this.client.getChannel().getConnectivityState(true)
  }

  rotation(weights: ReadonlyMap<RegisteredEndpoint, number>): void {
    this.weights = new Map([...weights].map(([{ registration }, weight]) => [registration.addr, weight]))
    this.inRotation = [...weights.keys()].map(({ registration }) => registration.addr).sort()
  }

  connectivity({ registration }: RegisteredEndpoint, _: boolean, problem: string | null): void {
    this.problems.set(registration.addr, problem)
  }

  /** Waits until these addresses, and no others, are picked. */
  async untilRotation(...addrs: readonly string[]): Promise<void> {
    const wanted = addrs.toSorted().join()
    await until(
      () => this.inRotation.join() === wanted,
      () => `rotation ${wanted}, is ${this.inRotation}`,
    )
  }

  /** One call: the address of the backend that answered. */
  call(metadata = new Metadata()): Promise<string> {
    return this.start(metadata).answer
  }

  /** One call that can be given up. */
  start(metadata = new Metadata()): { readonly answer: Promise<string>; cancel(): void } {
    const call: { cancel?: () => void } = {}
    const answer = new Promise<string>((resolve, reject) => {
      const made = this.client.makeUnaryRequest<Buffer, Buffer>(
        ...([ECHO, bytes, bytes, Buffer.alloc(1), metadata, { deadline: Date.now() + DEADLINE_MS }] as const),
        (error, reply) => (error || !reply ? reject(error) : resolve(String(reply))),
      )
      call.cancel = () => made.cancel()
    })
    return { answer, cancel: () => call.cancel?.() }
  }

  /** Calls one after the other: how many each address answered. */
  async count(calls: number): Promise<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (let call = 0; call < calls; call++) {
      const addr = await this.call()
      counts[addr] = (counts[addr] ?? 0) + 1
    }
    return counts
  }

  /** A stream that the backend keeps open. */
  hold(): ClientReadableStream<Buffer> {
    return this.client.makeServerStreamRequest<Buffer, Buffer>(HOLD, bytes, bytes, Buffer.alloc(1))
  }

  close(): void {
    this.client.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** Calls at a steady pace, whether earlier ones were answered or not, as users do. */
export class SteadyCalls implements Disposable {
  made = 0
  answered = 0
  readonly failures: string[] = []
  /** The numbers of the failed calls, from 1 on, in the order of `failures`. */
  private readonly failed: number[] = []
  /** The numbers of the calls that are under way. */
  private readonly open = new Set<number>()
  private readonly timer: NodeJS.Timeout

  constructor(caller: Caller, perSecond: number) {
    const startedAtMs = performance.now()
    // A timer that comes late makes up for what it missed.
    this.timer = setInterval(() => {
      while (this.made < ((performance.now() - startedAtMs) / 1000) * perSecond) {
        const number = ++this.made
        this.open.add(number)
        caller
          .call()
          .then(
            () => this.answered++,
            (error: Error) => {
              this.failures.push(error.message)
              this.failed.push(number)
            },
          )
          .finally(() => this.open.delete(number))
      }
    }, 5)
  }

  /** Waits for so many more answers. */
  async more(answers: number): Promise<void> {
    const wanted = this.answered + answers
    await until(
      () => this.answered + this.failures.length >= wanted,
      () => `${wanted} answers, got ${this.answered}`,
    )
  }

  /**
   * Waits for the ends of all calls that have been made so far: what was decided about them before may happen at servers
   * later.
   *
   * @returns the number of the last of them
   */
  async settled(): Promise<number> {
    const last = this.made
    await until(
      () => [...this.open].every((number) => number > last),
      () => `the ends of the first ${last} calls`,
    )
    return last
  }

  /** How many of the calls after this one have failed. */
  failedAfter(last: number): number {
    return this.failed.filter((number) => number > last).length
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer)
  }

  /** Stops calling and waits for the last answer. */
  async end(): Promise<void> {
    clearInterval(this.timer)
    await until(
      () => this.answered + this.failures.length >= this.made,
      () => `the last of ${this.made} answers, got ${this.answered}`,
    )
  }
}
