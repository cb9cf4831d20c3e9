import type { IWatchResponse } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { EtcdClient } from './client.js'
import { heartbeat } from './heartbeat.js'
import type { KeyRange } from './key-range.js'

/**
 * The responses of one watch on one stream, fragments put together. Ends with the signal, or by throwing what
 * the stream failed with; a cancelled watch (compacted, say) is its last response. After a failure, requests
 * go to the next member.
 *
 * Reads only when the consumer does: one that pauses holds the stream back by HTTP/2 flow control, so that etcd
 * keeps what it has not sent. The heartbeat rests meanwhile.
 */
export async function* watchStream(
  client: EtcdClient,
  range: KeyRange,
  startRevision: Revision,
  signal: AbortSignal,
): AsyncGenerator<IWatchResponse, void, void> {
  const stream = await client.openWatch()
  const stop = () => stream.close()
  signal.addEventListener('abort', stop, { once: true })
  try {
    if (signal.aborted) return
    stream.write({ create_request: { ...range, start_revision: startRevision, fragment: true } })
    let fragments: IWatchResponse['events'][] = []
    for await (const response of heartbeat(stream, range.key)) {
      fragments.push(response.events)
      if (response.fragment) continue
      yield fragments.length === 1 ? response : { ...response, events: fragments.flat() }
      if (response.canceled) return
      fragments = []
    }
    if (!signal.aborted) throw new DiscoError('ETCD_UNREACHABLE', 'etcd ended the watch')
  } catch (thrown) {
    if (signal.aborted) return
    stream.blame()
    throw thrown
  } finally {
    signal.removeEventListener('abort', stop)
    stream.close()
  }
}
