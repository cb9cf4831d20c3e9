import { setImmediate as turn } from 'node:timers/promises'

/** Round trips allowed per deadline: a request over a new connection takes about three. */
const ROUND_TRIPS_ALLOWED = 4

/** The weight of a sample that is shorter than the estimate. A longer sample replaces the estimate at once. */
const FALL = 1 / 8

/** Estimates the round trip to etcd from answered requests, so that deadlines grow with it. */
export class RoundTrip {
  private estimateMs = 0

  /** @param tookMs time from a request to its answer */
  add(tookMs: number): void {
    const fallenMs = this.estimateMs + (tookMs - this.estimateMs) * FALL
    this.estimateMs = Math.max(tookMs, fallenMs)
  }

  /** The deadline of a request, in milliseconds: the usual one, or four round trips if these take longer. */
  allow(usualMs: number): number {
    return Math.max(usualMs, this.estimateMs * ROUND_TRIPS_ALLOWED)
  }
}

/** Turns of the event loop: frames are read in one, decoded in the next, delivered in the third. */
const TURNS = 3

/**
 * Resolves once all data that has reached this process is delivered. In a process that was busy or stopped, a timer may
 * fire before an answer that came in time is read. Callers await this before they treat the answer as missing.
 */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < TURNS; turns++) await turn()
}
