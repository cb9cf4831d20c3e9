import type { Change, Update } from '../domain/discovery.js'
import type { Layout } from '../domain/layouts/index.js'
import type { EtcdClient } from '../etcd/client.js'
import { type KeyEvent, type RangeUpdate, watchRange } from '../etcd/prefix-watch.js'
import type { KeyRange } from '../etcd/range.js'
import { decodeEndpoints } from './decode.js'

/** A watched range as updates of the port: what etcd calls keys and values are endpoints from here on. */
export async function* watchEndpoints(
  client: EtcdClient,
  layout: Layout,
  range: KeyRange,
  signal: AbortSignal,
): AsyncGenerator<Update, void, void> {
  for await (const update of watchRange(client, range, signal)) yield toUpdate(layout, update)
}

function toUpdate(layout: Layout, update: RangeUpdate): Update {
  switch (update.type) {
    case 'stale':
      return { type: 'stale', sinceMs: Date.now(), cause: update.cause }
    case 'reset': {
      const endpoints = update.kvs.flatMap((kv) => decodeEndpoints(layout, kv))
      return { type: 'reset', revision: update.revision, endpoints, source: 'etcd', ageMs: 0 }
    }
    case 'resync': {
      const { revision, missedRevisions, events } = update
      const changes = events.map((event) => toChange(layout, event))
      return { type: 'resync', revision, missedRevisions, changes }
    }
    case 'changes': {
      const [first, ...rest] = update.events
      const changes = [toChange(layout, first), ...rest.map((event) => toChange(layout, event))] as const
      return { type: 'changes', revision: update.revision, changes }
    }
  }
}

function toChange(layout: Layout, event: KeyEvent): Change {
  if (event.type === 'delete') return { type: 'delete', key: event.key }
  return { type: 'put', key: event.kv.key, endpoints: decodeEndpoints(layout, event.kv) }
}
