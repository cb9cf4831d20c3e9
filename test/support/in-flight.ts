import type { Client } from '@grpc/grpc-js'
import { until } from './disco.js'
import { PATHS } from './four-kinds.js'

const bytes = (value: Buffer) => value

/** Long enough for a busy machine: a call that takes longer has failed. */
const DEADLINE_MS = 30_000

/** A closed loop: a fixed number of unary calls in flight, each followed by the next. */
export class InFlight {
  answered = 0
  readonly failures: string[] = []
  private running = 0
  private isEnding = false

  constructor(
    private readonly client: Client,
    concurrency: number,
    private readonly path: string = PATHS.Unary,
  ) {
    for (let one = 0; one < concurrency; one++) this.call()
  }

  /** Waits for `answers` further answers. */
  async more(answers: number): Promise<void> {
    const wanted = this.answered + answers
    await until(
      () => this.answered + this.failures.length >= wanted,
      () => `${wanted} answers, got ${this.answered}`,
    )
  }

  /** Waits for the last answer. */
  async end(): Promise<void> {
    this.isEnding = true
    await until(
      () => this.running === 0,
      () => `the last ${this.running} answers`,
    )
  }

  private call(): void {
    this.running++
    const deadline = Date.now() + DEADLINE_MS
    const request = Buffer.from('hello')
    this.client.makeUnaryRequest<Buffer, Buffer>(this.path, bytes, bytes, request, { deadline }, (error) => {
      this.running--
      if (error) this.failures.push(error.message)
      else this.answered++
      // A failure already fails the test, which may have closed the client by then.
      if (!this.isEnding && !error) this.call()
    })
  }
}
