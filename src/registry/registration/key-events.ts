import { DiscoError } from '../../domain/errors.js'
import type { EtcdClient } from '../../etcd/client.js'
import { oneKey } from '../../etcd/key-range.js'
import { type KeyEvent, watchRange } from '../../etcd/range-watch.js'
import { Backoff, DENIAL_BACKOFF } from '../../net/backoff.js'
import type { EventSink, RegistrationEvents } from './events.js'

/**
 * Watches one key of a registration. Yields the events of each update; an empty list means that the key must be read
 * (at the start, and after an outage). A denial is emitted as `trouble` and retried slowly, even before the first list,
 * since the user had permission when the key was claimed. `recovered` is emitted after the caller has handled the first
 * update that follows a denial.
 *
 * @throws DiscoError for an error that a retry cannot fix
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
