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

/**
 * Memory of one call under way: 20 KB of resident memory, measured on 5,000, 10,000 and 20,000 unary calls with
 * a small message that were never answered (grpc-js 1.14.7, Node 20). Larger messages need their size on top.
 */
const BYTES_PER_CALL = 20_000

/** What calls under way may take unless -c asks for more: little beside what any machine has. */
const DEFAULT_BYTES = 300_000_000

/** V8 ends the process at its heap's limit, without a report; half of it stays for everything else. */
const HEAP_FRACTION = 0.5

/**
 * The most calls under way that a process can carry.
 *
 * @param heapLimitBytes of V8 (`heap_size_limit`)
 */
export function carriedByHeap(heapLimitBytes: number): number {
  return Math.max(1, Math.floor((heapLimitBytes * HEAP_FRACTION) / BYTES_PER_CALL))
}

/** Default limit of calls under way at a rate. @param heapLimitBytes as above */
export function defaultUnderWay(heapLimitBytes: number): number {
  return Math.min(Math.floor(DEFAULT_BYTES / BYTES_PER_CALL), carriedByHeap(heapLimitBytes))
}
