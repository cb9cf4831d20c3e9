import { onAbort } from './on-abort.js'

/** Option of every asynchronous operation of the library. */
export interface Abortable {
  /**
   * Aborts the operation: its promise rejects with the reason of the signal. A change that was sent to etcd by then may
   * still be carried out.
   */
  readonly signal?: AbortSignal | undefined
}

/** The outcome of the promise, or a rejection with the reason of the signal: the work behind the promise goes on. */
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
