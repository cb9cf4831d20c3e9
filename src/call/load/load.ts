/**
 * How long calls are started before the event loop gets a turn. A turn costs almost nothing without input. Replies and
 * signals are delayed by no more than this.
 */
export const SLICE_MS = 2

/** The number of calls, the concurrency, and the end of a run. */
export interface Load {
  /** Infinity if only the time is limited. */
  readonly calls: number
  /** Infinity if only the number of calls is limited. */
  readonly durationMs: number
  /** The maximum number of outstanding calls. */
  readonly concurrency: number
  /**
   * Calls to start per second, whether or not earlier ones have ended (open loop); null if each worker starts a
   * call as soon as its last has ended (closed loop).
   */
  readonly perSecond: number | null
}

/**
 * Makes one call, and calls `done` when the call has ended, never before this function returns. A promise for each call
 * would add a tenth to the cost of the call.
 *
 * @param intendedAtMs when the call was due, on performance.now()'s clock
 */
export type MakeCall = (intendedAtMs: number, done: () => void) => void

/**
 * Memory of one outstanding call: 20 KB of resident memory, measured on 5,000, 10,000 and 20,000 unary calls with a
 * small message that were never answered (grpc-js 1.14.7, Node 20). Larger messages need their size in addition.
 */
const BYTES_PER_CALL = 20_000

/** Memory for outstanding calls unless -c sets their number: small for any machine. */
const DEFAULT_BYTES = 300_000_000

/** The part of V8's heap limit for outstanding calls. At the limit V8 ends the process, without a report. */
const HEAP_FRACTION = 0.5

/**
 * The maximum number of outstanding calls that fit in memory.
 *
 * @param heapLimitBytes of V8 (`heap_size_limit`)
 */
export function maxCallsInHeap(heapLimitBytes: number): number {
  return Math.max(1, Math.floor((heapLimitBytes * HEAP_FRACTION) / BYTES_PER_CALL))
}

/** Default limit of outstanding calls at a rate. @param heapLimitBytes as above */
export function defaultMaxOutstanding(heapLimitBytes: number): number {
  return Math.min(Math.floor(DEFAULT_BYTES / BYTES_PER_CALL), maxCallsInHeap(heapLimitBytes))
}
