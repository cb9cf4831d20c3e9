import { onAbort } from '../domain/abortable.js'
import type { Update } from '../domain/discovery.js'

/**
 * A watch that `await using` ends, even while the next update is awaited. Generators of Node 20 and 22 have no
 * `Symbol.asyncDispose`.
 *
 * @param open opens the watch with a signal that ends it
 */
export function disposable(
  open: (end: AbortSignal) => AsyncGenerator<Update, void, void>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Update, void, void> {
  const ending = new AbortController()
  const updates = endedBy(ending, open, signal)
  const dispose = async () => {
    ending.abort()
    await updates.return()
  }
  return Object.assign(updates, { [Symbol.asyncDispose]: dispose })
}

async function* endedBy(
  ending: AbortController,
  open: (end: AbortSignal) => AsyncGenerator<Update, void, void>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Update, void, void> {
  if (signal?.aborted) return
  const forget = signal && onAbort(signal, () => ending.abort(signal.reason))
  try {
    yield* open(ending.signal)
  } finally {
    forget?.()
  }
}
