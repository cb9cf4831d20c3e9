import { setTimeout as delay } from 'node:timers/promises'

const FIRST_MS = 100
const MOST_MS = 2_000

/** Waits between tries of a loop that never gives up: from 100 ms, doubling to 2 s, each jittered by half. */
export class Backoff {
  private nextMs = FIRST_MS

  constructor(private readonly random: () => number = Math.random) {}

  reset(): void {
    this.nextMs = FIRST_MS
  }

  /** Resolves early, without an error, when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    const ms = this.nextMs * (0.5 + this.random() / 2)
    this.nextMs = Math.min(this.nextMs * 2, MOST_MS)
    await delay(ms, undefined, { signal }).catch(() => undefined)
  }
}
