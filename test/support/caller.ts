import { type ChannelOptions, Client, type ClientReadableStream, credentials, Metadata } from '@grpc/grpc-js'
import { type ChannelSettings, channelOptions } from '../../src/grpc/channel-options.js'
import type { RegisteredEndpoint } from '../../src/grpc/resolver/endpoint.js'
import type { Observer } from '../../src/grpc/resolver/observer.js'
import { ECHO, HOLD } from './backend.js'
import { until } from './disco.js'

const bytes = (value: Buffer) => value

/** Long enough for a busy machine: a call that takes longer has failed. */
const DEADLINE_MS = 20_000

/** A client of backends that tracks which endpoints are in rotation. */
export class Caller implements Disposable, Observer {
  /** Addresses of the endpoints in rotation, sorted. Two keys with one address are two entries. */
  inRotation: string[] = []
  /** The current weights by address. */
  weights: ReadonlyMap<string, number> = new Map()
  /** Reasons why endpoints are not in rotation, by address; null if an endpoint can be picked. */
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

  /** Waits until exactly these addresses are in rotation. */
  async untilRotation(...addrs: readonly string[]): Promise<void> {
    const wanted = addrs.toSorted().join()
    await until(
      () => this.inRotation.join() === wanted,
      () => `rotation ${wanted}, is ${this.inRotation}`,
    )
  }

  /** Makes a call. Returns the address of the backend that answered. */
  call(metadata = new Metadata()): Promise<string> {
    return this.start(metadata).answer
  }

  /** Starts a call that can be cancelled. */
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

  /** Makes calls one after the other. Returns the number of replies by address. */
  async count(calls: number): Promise<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (let call = 0; call < calls; call++) {
      const addr = await this.call()
      counts[addr] = (counts[addr] ?? 0) + 1
    }
    return counts
  }

  /** Opens a stream that the backend keeps open. */
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

/** Makes calls at a constant rate, whether earlier calls were answered or not. */
export class SteadyCalls implements Disposable {
  made = 0
  answered = 0
  readonly failures: string[] = []
  /** The numbers of the failed calls, starting at 1, in the order of `failures`. */
  private readonly failed: number[] = []
  /** The numbers of the outstanding calls. */
  private readonly open = new Set<number>()
  private readonly timer: NodeJS.Timeout

  constructor(caller: Caller, perSecond: number) {
    const startedAtMs = performance.now()
    // A late timer makes the missed calls at once.
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

  /** Waits for `answers` further calls to end. */
  async more(answers: number): Promise<void> {
    const wanted = this.answered + answers
    await until(
      () => this.answered + this.failures.length >= wanted,
      () => `${wanted} answers, got ${this.answered}`,
    )
  }

  /**
   * Waits until all calls made so far have ended. Calls that were picked earlier may reach a server later.
   *
   * @returns the number of the last call made so far
   */
  async settled(): Promise<number> {
    const last = this.made
    await until(
      () => [...this.open].every((number) => number > last),
      () => `the ends of the first ${last} calls`,
    )
    return last
  }

  /** Number of failed calls after the call with this number. */
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
