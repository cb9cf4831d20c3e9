import type { Change, Update } from '../domain/discovery.js'
import type { Endpoint } from '../domain/endpoint.js'
import type { Reader } from '../domain/layouts/reader.js'
import type { EtcdClient } from '../etcd/client.js'
import { prefixRange } from '../etcd/key-range.js'
import type { KeyValue } from '../etcd/pairs.js'
import { type KeyEvent, type RangeUpdate, watchRange } from '../etcd/range-watch.js'
import type { WatchOptions } from '../etcd/resync-check.js'
import { decodeEndpoints } from './decode.js'
import { explainForbidden, isForbidden } from './etcd-refusals.js'
import { explainRevision } from './revisions.js'

type Decode = (kv: KeyValue) => Endpoint[]

/**
 * Watches one service, or all, and decodes keys and values into endpoints. One watch on one range keeps the changes of
 * a revision together, even in several layouts. Without permission for all keys, watches only the default layout.
 *
 * @param options `streams`: etcd streams shared with other watches; by default, the watch has its own stream with
 *   backpressure. `since`: the past revision at which the watch begins
 */
export async function* watchEndpoints(
  client: EtcdClient,
  reader: Reader,
  service: string | undefined,
  signal: AbortSignal,
  options: Partial<Pick<WatchOptions, 'streams' | 'since'>> = {},
): AsyncGenerator<Update, void, void> {
  const range = prefixRange(reader.prefix(service))
  const decode: Decode = (kv) => decodeEndpoints(reader, kv, service)
  let hasDelivered = false
  try {
    for await (const update of watchRange(client, range, signal, {
      filter: reader.keyFilter(service),
      ...options,
    })) {
      hasDelivered ||= update.type !== 'stale'
      yield toUpdate(decode, update)
    }
  } catch (error) {
    const mayNarrow = isForbidden(error) && !hasDelivered && service !== undefined
    const narrowed = mayNarrow ? reader.narrowed(service) : null
    const { since } = options
    const explained = since === undefined ? error : await explainRevision(error, client, range, since)
    if (!narrowed) throw explainForbidden(explained, reader)
    yield* watchEndpoints(client, narrowed, service, signal, options)
  }
}

function toUpdate(decode: Decode, update: RangeUpdate): Update {
  switch (update.type) {
    case 'stale':
      return { type: 'stale', sinceMs: Date.now(), cause: update.cause }
    case 'reset': {
      const endpoints = update.kvs.flatMap(decode)
      return { type: 'reset', revision: update.revision, endpoints, source: 'etcd', ageMs: 0 }
    }
    case 'resync': {
      const { revision, missedRevisions, events } = update
      const changes = events.map((event) => toChange(decode, event))
      return { type: 'resync', revision, missedRevisions, changes }
    }
    case 'changes': {
      const [first, ...rest] = update.events
      const changes = [toChange(decode, first), ...rest.map((event) => toChange(decode, event))] as const
      return { type: 'changes', revision: update.revision, changes }
    }
  }
}

function toChange(decode: Decode, event: KeyEvent): Change {
  if (event.type === 'delete') return { type: 'delete', key: event.key }
  return { type: 'put', key: event.kv.key, endpoints: decode(event.kv) }
}
