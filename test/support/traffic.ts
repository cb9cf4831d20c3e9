import { setTimeout as delay } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { type Client, dial } from '../../src/grpc/dial.js'
import { install } from '../../src/grpc/install.js'
import type { ResolvedList } from '../../src/grpc/resolver/live-list.js'
import { targetOf } from '../../src/grpc/resolver/target.js'
import type { EventSink, RegistrationEvents } from '../../src/registry/registration/events.js'
import type { Registration } from '../../src/registry/registration/registration.js'
import type { Registry } from '../../src/registry/registry.js'
import { until } from './disco.js'

const BACKENDS = 5
const CALL_PERIOD_MS = 5
const CALL_DEADLINE_MS = 20_000
/** Maximum number of calls at a time. */
const MAX_RUNNING = 20

/** Five Greeters registered as one service by the ordinary registrar, with the events of all registrations. */
export class Backends implements AsyncDisposable {
  private constructor(
    readonly greeters: readonly Greeter[],
    private readonly registrations: readonly Registration[],
  ) {}

  static async start(
    registry: Registry,
    service: string,
    ttlSeconds: number,
    events: EventSink<RegistrationEvents> = { emit: () => false },
  ): Promise<Backends> {
    const greeters = await Promise.all(Array.from({ length: BACKENDS }, () => startGreeter({ port: 0 })))
    const registrations = await Promise.all(
      greeters.map(({ addr }) => {
        const registered = { service, version: '', addr, weight: 1, metadata: {} }
        return registry.register({ registered, ttlSeconds }, { events })
      }),
    )
    return new Backends(greeters, registrations)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.registrations.map((registration) => registration.close()))
    for (const greeter of this.greeters) greeter.stop()
  }
}

/** A grpc-js client that makes up to 200 calls a second through our resolver, and counts their results. */
export class Traffic implements AsyncDisposable {
  /** Number of ended calls by result: OK, or the status with its details. */
  readonly outcomes = new Map<string, number>()
  /** All lists that the resolver has passed to the channel. */
  readonly lists: ResolvedList[] = []
  private readonly client: Client
  private isStopped = false
  private readonly ended: Promise<void>

  /** @param discovery of the channel. It is installed process-wide, and this channel keeps it. */
  constructor(discovery: Registry, service: string) {
    install({ discovery })
    this.client = dial(targetOf(service), { observer: { resolved: (list) => this.lists.push(list) } })
    this.ended = this.run()
  }

  get ok(): number {
    return this.outcomes.get('OK') ?? 0
  }

  /** The results other than OK with their counts; empty if no call has failed. */
  get failures(): string[] {
    return [...this.outcomes].filter(([what]) => what !== 'OK').map(([what, count]) => `${count}× ${what}`)
  }

  /** Waits for `calls` further successful calls. */
  async flows(calls: number): Promise<void> {
    const wanted = this.ok + calls
    await until(
      () => this.ok >= wanted,
      () => `${calls} more calls; failed ones: ${this.failures.join(', ')}`,
    )
  }

  /** Stops, and resolves when all outstanding calls have ended. */
  async stop(): Promise<void> {
    this.isStopped = true
    await this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    this.client.close()
  }

  private async run(): Promise<void> {
    const running = new Set<Promise<void>>()
    const startMs = performance.now()
    for (let calls = 0; !this.isStopped; await delay(CALL_PERIOD_MS)) {
      const due = Math.floor((performance.now() - startMs) / CALL_PERIOD_MS)
      for (; calls < due && running.size < MAX_RUNNING; calls++) {
        const call = this.call().finally(() => running.delete(call))
        running.add(call)
      }
      // A busy machine makes fewer calls, so that it still has time for what is tested.
      calls = Math.max(calls, due - MAX_RUNNING)
    }
    await Promise.all(running)
  }

  private call(): Promise<void> {
    const same = (bytes: Buffer) => bytes
    return new Promise((resolve) => {
      this.client.makeUnaryRequest<Buffer, Buffer>(
        '/helloworld.Greeter/SayHello',
        same,
        same,
        Buffer.alloc(0),
        { deadline: Date.now() + CALL_DEADLINE_MS },
        (error) => {
          const outcome = error === null ? 'OK' : `${status[error.code]}: ${error.details}`
          this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
          resolve()
        },
      )
    })
  }
}
