/** Option of every asynchronous operation of the library. */
export interface Abortable {
  /**
   * Aborts the operation: its promise rejects with the reason of the signal. etcd may still apply a change that was
   * already sent.
   */
  readonly signal?: AbortSignal | undefined
}

/**
 * Settles as the promise does, but rejects with the signal's reason as soon as the signal aborts. The work behind the
 * promise continues.
 */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await promise
  promise.catch(() => undefined)
  signal.throwIfAborted()
  let forget = () => {}
  const aborted = new Promise<never>((_, reject) => {
    forget = onAbort(signal, () => reject(signal.reason))
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    forget()
  }
}

interface Listener {
  readonly callbacks: Set<() => void>
  readonly remove: () => void
}

const listeners = new WeakMap<AbortSignal, Listener>()

/**
 * Calls back when the signal aborts. A program often passes one signal to many operations. All callbacks share one
 * listener, since Node warns of a leak when a signal has more than ten listeners.
 *
 * @param callback must not throw; not called if the signal has aborted already
 * @returns a function that removes the callback; idempotent
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const listener = listeners.get(signal) ?? listen(signal)
  // A new function for each call: the set would merge two calls with the same callback.
  const own = () => callback()
  listener.callbacks.add(own)
  return () => {
    // A signal of `AbortSignal.any` stays in memory as long as it has a listener.
    if (listener.callbacks.delete(own) && listener.callbacks.size === 0) listener.remove()
  }
}

function listen(signal: AbortSignal): Listener {
  const callbacks = new Set<() => void>()
  const abort = () => {
    for (const callback of [...callbacks]) callback()
  }
  const remove = () => {
    signal.removeEventListener('abort', abort)
    listeners.delete(signal)
  }
  const listener = { callbacks, remove }
  listeners.set(signal, listener)
  signal.addEventListener('abort', abort)
  return listener
}
