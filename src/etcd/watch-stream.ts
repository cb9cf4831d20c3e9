import type { IWatchResponse } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { arrived } from './arrived.js'
import type { EtcdClient } from './client.js'
import type { KeyRange } from './range.js'

/** A watch that is silent for so long is asked for its progress; etcd itself would tell that every 10 minutes. */
const QUIET_MS = 3_500
/** etcd answers that at once: a member that does not is taken for mute, after 6.5 s in all. */
const ANSWER_MS = 3_000

/** The member went mute in the middle of a watch: what it did not tell in that time is unknown. */
export class SilentWatch extends DiscoError {
  constructor() {
    super('ETCD_UNREACHABLE', `The watch had no answer for ${(QUIET_MS + ANSWER_MS) / 1000}s`)
  }
}

/**
 * The responses of one watch on one stream, fragments put together. Ends with the signal, or by throwing what
 * the stream failed with; a cancelled watch (compacted, say) is its last response. After a failure, requests
 * go to the next member.
 */
export async function* watchStream(
  client: EtcdClient,
  range: KeyRange,
  startRevision: Revision,
  signal: AbortSignal,
): AsyncGenerator<IWatchResponse, void, void> {
  const stream = await client.openWatch()
  let failure: SilentWatch | null = null
  let heard = 0
  const giveUp = async (heardBefore: number) => {
    await arrived()
    if (heard > heardBefore) return
    failure = new SilentWatch()
    stream.close()
  }
  const ask = () => {
    stream.write({ progress_request: {} })
    pulse = setTimeout(giveUp, ANSWER_MS, heard)
  }
  let pulse = setTimeout(giveUp, ANSWER_MS, heard)
  const stop = () => stream.close()
  signal.addEventListener('abort', stop, { once: true })
  try {
    if (signal.aborted) return
    stream.write({ create_request: { ...range, start_revision: startRevision, fragment: true } })
    let fragments: IWatchResponse['events'][] = []
    for await (const response of stream) {
      heard++
      // Whoever reads may take longer than a member may be silent.
      clearTimeout(pulse)
      fragments.push(response.events)
      if (!response.fragment) {
        yield fragments.length === 1 ? response : { ...response, events: fragments.flat() }
        if (response.canceled) return
        fragments = []
      }
      pulse = setTimeout(ask, QUIET_MS)
    }
    if (!signal.aborted) throw failure ?? new DiscoError('ETCD_UNREACHABLE', 'etcd ended the watch')
  } catch (thrown) {
    if (signal.aborted) return
    stream.blame()
    throw failure ?? thrown
  } finally {
    clearTimeout(pulse)
    signal.removeEventListener('abort', stop)
    stream.close()
  }
}
