import type { IWatchResponse } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { EtcdClient } from './client.js'
import type { KeyRange } from './key-range.js'
import { liveResponses } from './watch-liveness.js'

/**
 * Yields the responses of one watch on a separate stream. Ends when the signal aborts; a cancellation by etcd
 * (compaction, for example) is its last response. After a failure, requests go to the next member.
 *
 * Reads only when the consumer does: while it pauses, HTTP/2 flow control holds the stream back, etcd keeps the
 * events, and the liveness checks are suspended.
 *
 * @throws DiscoError of the failed stream
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
    stream.write({ create_request: { ...range, start_revision: startRevision } })
    for await (const response of liveResponses(stream, range.key)) {
      yield response
      if (response.canceled) return
    }
    if (!signal.aborted) throw new DiscoError('ETCD_UNREACHABLE', 'etcd ended the watch')
  } catch (thrown) {
    if (signal.aborted) return
    stream.skipMember()
    throw thrown
  } finally {
    signal.removeEventListener('abort', stop)
    stream.close()
  }
}
