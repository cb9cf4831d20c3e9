import { setTimeout as delay } from 'node:timers/promises'

const FIRST_MS = 100
const MAX_MS = 2_000

export interface BackoffLimits {
  readonly firstMs?: number
  readonly maxMs?: number
  /**
   * Whether a wait is up to half shorter than its step (default), or up to half longer: then `firstMs` is the
   * minimum.
   */
  readonly jitter?: 'shorter' | 'longer'
  readonly random?: () => number
}

/**
 * Waits between attempts of a loop that never gives up: 100 ms, doubling to 2 s by default, each jittered by half. No
 * wait is longer than `maxMs`.
 */
export class Backoff {
  private readonly firstMs: number
  private readonly maxMs: number
  private readonly random: () => number
  /** The minimum wait, as a fraction of its step; the maximum is half a step more. */
  private readonly minFraction: number
  private nextMs: number

  constructor(limits: BackoffLimits = {}) {
    const { firstMs = FIRST_MS, maxMs = MAX_MS, jitter = 'shorter', random = Math.random } = limits
    this.minFraction = jitter === 'shorter' ? 0.5 : 1
    this.maxMs = maxMs / (this.minFraction + 0.5)
    this.firstMs = Math.min(firstMs, this.maxMs)
    this.random = random
    this.nextMs = this.firstMs
  }

  reset(): void {
    this.nextMs = this.firstMs
  }

  /** The next wait, in milliseconds. */
  next(): number {
    const ms = this.nextMs * (this.minFraction + this.random() / 2)
    this.nextMs = Math.min(this.nextMs * 2, this.maxMs)
    return ms
  }

  /** Resolves early, without an error, when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    await delay(this.next(), undefined, { signal }).catch(() => undefined)
  }
}

/** Waits after a denial: each attempt costs the server a password check, and succeeds only after a change of configuration. */
export const DENIAL_BACKOFF: BackoffLimits = { firstMs: 5_000, maxMs: 60_000, jitter: 'longer' }

/** Waits before a failed watch of a service starts again. It fails only with errors that the registry does not retry. */
export const WATCH_BACKOFF = {
  firstMs: 1_000,
  maxMs: 30_000,
  jitter: 'longer',
} as const satisfies BackoffLimits
