import type { IWatchResponse } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { EtcdClient } from './client.js'
import type { KeyRange } from './range.js'

/** A silent watch is asked for its progress after 4 s and given up 3 s later: a mute member costs 7 s. */
const PROGRESS_PERIOD_MS = 4_000
const SILENCE_LIMIT_MS = 7_000

/**
 * The responses of one watch on one stream, fragments put together. Ends with the signal, or by throwing what
 * the stream failed with; a cancelled watch (compacted, say) is its last response.
 */
export async function* watchStream(
  client: EtcdClient,
  range: KeyRange,
  startRevision: Revision,
  signal: AbortSignal,
): AsyncGenerator<IWatchResponse, void, void> {
  const stream = await client.openWatch()
  let failure: DiscoError | null = null
  let heardAt = Date.now()
  // A half-closed stream is cancelled without etcd3 taking its member for failed.
  const stop = () => {
    stream.end()
    stream.cancel()
  }
  const pulse = setInterval(() => {
    const silentMs = Date.now() - heardAt
    if (silentMs > SILENCE_LIMIT_MS) {
      failure = new DiscoError('ETCD_UNREACHABLE', `The watch had no answer for ${silentMs / 1000}s`)
      stop()
    } else stream.write({ progress_request: {} })
  }, PROGRESS_PERIOD_MS)
  signal.addEventListener('abort', stop, { once: true })
  try {
    if (signal.aborted) return
    stream.write({ create_request: { ...range, start_revision: startRevision, fragment: true } })
    let fragments: IWatchResponse['events'] = []
    for await (const response of stream) {
      heardAt = Date.now()
      fragments.push(...response.events)
      if (response.fragment) continue
      yield { ...response, events: fragments }
      if (response.canceled) return
      fragments = []
    }
    if (!signal.aborted) throw new DiscoError('ETCD_UNREACHABLE', 'etcd ended the watch')
  } catch (thrown) {
    if (!signal.aborted) throw failure ?? thrown
  } finally {
    clearInterval(pulse)
    signal.removeEventListener('abort', stop)
    stop()
  }
}
