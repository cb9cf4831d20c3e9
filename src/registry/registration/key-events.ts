import { DiscoError } from '../../domain/errors.js'
import { Backoff, DENIAL_BACKOFF } from '../../etcd/backoff.js'
import type { EtcdClient } from '../../etcd/client.js'
import { oneKey } from '../../etcd/key-range.js'
import { type KeyEvent, watchRange } from '../../etcd/range-watch.js'
import type { EventSink, RegistrationEvents } from './events.js'

/**
 * Events of one key of a registration, as etcd sends them; an empty list where the key has to be read instead (at
 * the start, and after an outage). A denial is reported as trouble and retried slowly, also before the first list:
 * the key was claimed, so the denial is not the last word. Its end is reported once the caller has handled what
 * came first after it.
 *
 * @throws DiscoError what no retry can mend
 */
export async function* keyEvents(
  client: EtcdClient,
  key: string,
  sink: EventSink<RegistrationEvents>,
  signal: AbortSignal,
): AsyncGenerator<readonly KeyEvent[], void, void> {
  const denials = new Backoff(DENIAL_BACKOFF)
  let isDenied = false
  const denied = (cause: DiscoError) => {
    isDenied = true
    sink.emit('trouble', cause)
  }
  while (!signal.aborted) {
    try {
      for await (const update of watchRange(client, oneKey(key), signal)) {
        if (update.type === 'stale') {
          if (update.cause.code === 'ETCD_DENIED') denied(update.cause)
          continue
        }
        denials.reset()
        yield update.type === 'changes' ? update.events : []
        if (isDenied) sink.emit('recovered', { leaseHolds: true })
        isDenied = false
      }
    } catch (thrown) {
      const error = DiscoError.from(thrown)
      if (error.code !== 'ETCD_DENIED') throw error
      denied(error)
      await denials.wait(signal)
    }
  }
}
