import { setTimeout as delay } from 'node:timers/promises'

const FIRST_MS = 100
const MOST_MS = 2_000

export interface BackoffLimits {
  readonly firstMs?: number
  readonly mostMs?: number
  /**
   * Whether a wait is up to half shorter than its step (default), or up to half longer: then `firstMs` is the
   * minimum.
   */
  readonly jitter?: 'shorter' | 'longer'
  readonly random?: () => number
}

/**
 * Waits between attempts of a loop that never gives up: 100 ms, doubling to 2 s by default, each jittered by half. No
 * wait is longer than `mostMs`.
 */
export class Backoff {
  private readonly firstMs: number
  private readonly mostMs: number
  private readonly random: () => number
  /** The minimum wait, as a fraction of its step; the maximum is half a step more. */
  private readonly leastFraction: number
  private nextMs: number

  constructor(limits: BackoffLimits = {}) {
    const { firstMs = FIRST_MS, mostMs = MOST_MS, jitter = 'shorter', random = Math.random } = limits
    this.leastFraction = jitter === 'shorter' ? 0.5 : 1
    this.mostMs = mostMs / (this.leastFraction + 0.5)
    this.firstMs = Math.min(firstMs, this.mostMs)
    this.random = random
    this.nextMs = this.firstMs
  }

  reset(): void {
    this.nextMs = this.firstMs
  }

  /** The next wait, in milliseconds. */
  next(): number {
    const ms = this.nextMs * (this.leastFraction + this.random() / 2)
    this.nextMs = Math.min(this.nextMs * 2, this.mostMs)
    return ms
  }

  /** Resolves early, without an error, when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    await delay(this.next(), undefined, { signal }).catch(() => undefined)
  }
}

/** Waits after a denial: each attempt costs the server a password check, and succeeds only after a change of configuration. */
export const DENIAL_BACKOFF: BackoffLimits = { firstMs: 5_000, mostMs: 60_000, jitter: 'longer' }
