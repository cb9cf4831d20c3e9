import { Deadline } from '../../grpc/deadline.js'
import type { Reader } from '../../grpc/invoker.js'

export type { Reader }

/** For runs that print no line for each call. */
export const NO_READER: Reader = { isBehind: false, drained: () => Promise.resolve() }

/** The longest time that a timer takes. */
const LONGEST_MS = 2 ** 31 - 1

/** Resolves when the reader is no longer behind, the time is over or the signal aborts. Never rejects. */
export async function untilRead(reader: Reader, leftMs: number, signal: AbortSignal): Promise<void> {
  using limit = new Deadline(Math.min(Math.max(0, leftMs), LONGEST_MS), signal)
  const over = new Promise((resolve) => limit.signal.addEventListener('abort', resolve))
  if (!limit.signal.aborted) await Promise.race([reader.drained(), over])
}
