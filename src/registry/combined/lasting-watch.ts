import type { Discovery, Query, Update } from '../../domain/discovery.js'
import type { Endpoint } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import type { Origin } from '../../domain/origins.js'
import { Backoff, WATCH_BACKOFF } from '../../net/backoff.js'

/**
 * Watches one of several registries, and adds its name to each update. If the registry's watch throws, yields Stale and
 * starts the watch again, so that the watches of the other registries continue. Ends only when the signal aborts.
 */
export async function* lastingWatch(
  discovery: Discovery,
  origin: Origin,
  query: Query,
  signal: AbortSignal,
  random: () => number,
): AsyncGenerator<Update, void, void> {
  const backoff = new Backoff({ ...WATCH_BACKOFF, random })
  /** The last reported failure; null once the registry delivers again. A repeated failure is reported once. */
  let failure: string | null = null
  while (!signal.aborted) {
    try {
      for await (const update of discovery.watch(query, signal)) {
        if (update.type !== 'stale' && !(update.type === 'reset' && update.source === 'cache')) {
          backoff.reset()
          failure = null
        }
        yield ofOrigin(update, origin)
      }
      return
    } catch (thrown) {
      if (signal.aborted) return
      const cause = DiscoError.from(thrown)
      if (failure !== cause.message) {
        failure = cause.message
        yield { type: 'stale', registry: origin.registry, sinceMs: Date.now(), cause }
      }
    }
    await backoff.wait(signal)
  }
}

function ofOrigin(update: Update, origin: Origin): Update {
  const { registry } = origin
  if (update.type === 'stale') return { ...update, registry }
  if (update.type === 'reset')
    return { ...update, registry, endpoints: ofOriginAll(update.endpoints, origin) }
  const of = (change: (typeof update.changes)[number]) =>
    change.type === 'delete' ? change : { ...change, endpoints: ofOriginAll(change.endpoints, origin) }
  if (update.type === 'resync') return { ...update, registry, changes: update.changes.map(of) }
  const [first, ...more] = update.changes
  return { ...update, registry, changes: [of(first), ...more.map(of)] }
}

function ofOriginAll(endpoints: readonly Endpoint[], origin: Origin): Endpoint[] {
  return endpoints.map((endpoint) => Object.assign({ origin }, endpoint))
}
