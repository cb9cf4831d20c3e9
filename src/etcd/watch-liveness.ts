import type { IResponseHeader, IWatchResponse } from 'etcd3'
import { DiscoError } from '../domain/errors.js'
import type { WatchStream } from './client.js'
import { settle } from './deadlines.js'

/**
 * A progress request is sent after this time without a response. By itself, etcd reports progress only every 10
 * minutes.
 */
const IDLE_MS = 3_500
/**
 * Deadline of the first response of a stream, and of the answer to a progress request. etcd sends each without delay.
 * So a member counts as silent after 3 s without a first response, and later after 6.5 s without a response.
 */
const ANSWER_MS = 3_000

/** The member did not answer a watch, or stopped answering it. It is unknown which events it did not send. */
export class SilentWatch extends DiscoError {
  constructor(silentMs: number) {
    super('ETCD_UNREACHABLE', `The watch had no answer for ${silentMs / 1000}s`)
  }
}

/**
 * Yields the responses of a watch stream, and checks every few seconds that a quiet stream is alive.
 *
 * A stream is alive if a progress request is answered. Not every server answers: `etcd grpc-proxy` never does
 * (etcd-io/etcd#19710), and etcd 3.5 does not while a watcher of the stream is behind. So until the first progress
 * request of a stream has been answered, a key is read at the same member along with each request. If nothing arrives
 * on the stream in time, the answer to the read is yielded as a progress response. A denied read (no permission) also
 * proves that the member is alive, but yields nothing.
 *
 * Reads the stream only when the consumer requests a response; no deadline runs in between.
 *
 * @throws SilentWatch, or the error of the stream
 */
export async function* liveResponses(
  stream: WatchStream,
  key: Buffer,
): AsyncGenerator<IWatchResponse, void, void> {
  const responses = stream[Symbol.asyncIterator]()
  let next = limitedWait(responses.next())
  let isFirst = true
  let answersProgress = false
  for (;;) {
    let result = await next(isFirst ? ANSWER_MS : IDLE_MS)
    if (result === null) {
      if (isFirst) throw new SilentWatch(ANSWER_MS)
      const alive = answersProgress ? null : readAt(stream, key)
      stream.write({ progress_request: {} })
      result = await next(ANSWER_MS)
      if (result === null) {
        const answer = await alive
        if (!answer) throw new SilentWatch(IDLE_MS + ANSWER_MS)
        if (answer.header) yield progressOf(answer.header)
        continue
      }
      answersProgress ||= isProgress(result)
    }
    if (result.done) return
    isFirst = false
    yield result.value
    next = limitedWait(responses.next())
  }
}

/**
 * The answer to a unary read at the member of the stream; null if there is none in time, `header: null` if the server
 * denies the read.
 */
async function readAt(
  stream: WatchStream,
  key: Buffer,
): Promise<{ readonly header: IResponseHeader | null } | null> {
  const answer = stream.read({ key, keys_only: true }, ANSWER_MS).catch((error: unknown) => {
    return isDenial(error) ? { header: null } : null
  })
  // grpc-js measures the deadline by the wall clock, which may be set back.
  return await limitedWait(answer)(ANSWER_MS)
}

/**
 * Whether the server denied the read. An error of this process, such as a closed client, does not prove that the server
 * is alive.
 */
function isDenial(error: unknown): boolean {
  return error instanceof DiscoError && error.code === 'ETCD_DENIED'
}

function isProgress({ done, value }: IteratorResult<IWatchResponse, unknown>): boolean {
  return !done && !value.canceled && value.events.length === 0
}

function progressOf(header: IResponseHeader): IWatchResponse {
  const quiet = { created: false, canceled: false, fragment: false, cancel_reason: '', compact_revision: '0' }
  return { header, watch_id: '-1', events: [], ...quiet }
}

/**
 * Returns a function that waits for the promise up to a limit in milliseconds, and resolves to null if the limit passes
 * first. The function may be called repeatedly. Promise.race would add a reaction to the promise each time, which leaks on
 * a stream that is quiet all day.
 */
function limitedWait<T>(promise: Promise<T>): (limitMs: number) => Promise<T | null> {
  let isSettled = false
  let wake = () => {}
  const finish = () => {
    isSettled = true
    wake()
  }
  promise.then(finish, finish)
  return async (limitMs) => {
    if (!isSettled) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => void settle().then(resolve), limitMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return isSettled ? await promise : null
  }
}
