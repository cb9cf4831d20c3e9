/**
 * So long calls are started without a break. Then the event loop has its turn, which costs next to nothing where
 * nothing has come in, and delays a reply or a signal by no more than this where something has.
 */
export const SLICE_MS = 2

/** How many calls are made, how many at a time, and when it is enough. */
export interface Load {
  /** Infinity where only the time is limited. */
  readonly calls: number
  /** Infinity where only the calls are counted. */
  readonly durationMs: number
  /** The most calls under way at a time. */
  readonly concurrency: number
  /**
   * Calls to be started in a second, come what may (open loop); null where each worker starts one as soon as
   * its last has ended (closed loop).
   */
  readonly perSecond: number | null
}

/**
 * Makes one call and tells when it has ended, never before it returns. A callback, because promises for each call
 * would cost a tenth of what the call does.
 *
 * @param intendedAtMs when it should have been started, on performance.now()'s clock
 */
export type MakeCall = (intendedAtMs: number, done: () => void) => void
