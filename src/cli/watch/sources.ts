import type { Revision } from '../../domain/endpoint.js'
import type { EndpointFilter } from '../../domain/endpoint-filter.js'
import { lastingWatch } from '../../registry/combined/lasting-watch.js'
import { merged } from '../../registry/combined/merged.js'
import { registryEvents, type WatchEvent } from '../../registry/events.js'
import type { Registry } from '../../registry/registry.js'
import type { OpenRegistry } from '../base-command.js'

/** The options of a watch. Without a service, all services are watched. */
interface WatchSubject {
  readonly service: string | undefined
  readonly filter: EndpointFilter
  /** The revision of the first list; the changes since then follow. Only for a single registry. */
  readonly since?: Revision | undefined
}

/**
 * The events of all registries, in the order of their arrival. If one of several registries denies the watch, its list
 * becomes stale, and the watches of the others continue.
 */
export async function* watchEach(
  registries: readonly OpenRegistry[],
  { service, filter, since }: WatchSubject,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, void, void> {
  const ending = new AbortController()
  const ends = AbortSignal.any([signal, ending.signal])
  const events = registries.map(({ registry, origin }) => {
    if (origin === null && since !== undefined) return replayed(registry, { service, filter, since }, ends)
    if (origin === null) return registryEvents(registry, registry.follow(service, ends), filter)
    const discovery = { watch: () => registry.follow(service, ends) }
    const updates = lastingWatch(discovery, origin, { service: service ?? '' }, ends, Math.random)
    return ofRegistry(registryEvents(registry, updates, filter), origin.registry)
  })
  try {
    yield* merged(events)
  } finally {
    // Only the signal ends a source that is waiting for an event.
    ending.abort()
  }
}

async function* replayed(
  registry: Registry,
  { service, filter, since }: WatchSubject & { readonly since: Revision },
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, void, void> {
  const { openReplay } = await import('../../registry/replay-watch.js')
  const { newest, updates } = await openReplay(registry, service, since, signal)
  yield* registryEvents(registry, updates, filter, newest)
}

async function* ofRegistry(events: AsyncIterable<WatchEvent>, registry: string): AsyncGenerator<WatchEvent> {
  for await (const event of events) yield { ...event, registry }
}
