import { setImmediate as turn } from 'node:timers/promises'

/** Round trips allowed per deadline: a request over a new connection takes about three. */
const ROUND_TRIPS_ALLOWED = 4

/** The weight of a shorter sample in the estimate. A longer sample replaces it at once. */
const FALL = 1 / 8

/** Estimates the round trip to etcd from answered requests, so that deadlines grow with it. */
export class RoundTrip {
  private estimateMs = 0

  /** @param tookMs time from a request to its answer */
  add(tookMs: number): void {
    const fallenMs = this.estimateMs + (tookMs - this.estimateMs) * FALL
    this.estimateMs = Math.max(tookMs, fallenMs)
  }

  /** A deadline, in milliseconds: the usual one, or longer over a slow link. */
  allow(usualMs: number): number {
    return Math.max(usualMs, this.estimateMs * ROUND_TRIPS_ALLOWED)
  }
}

/** Turns of the event loop: frames are read in one, decoded in the next, delivered in the third. */
const TURNS = 3

/**
 * Resolves once all data that has reached this process is delivered. A busy or stopped process sees a deadline pass
 * before it reads an answer that came in time, so silence is judged only after this.
 */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < TURNS; turns++) await turn()
}
