import type { Endpoint } from '../domain/endpoint.js'
import { isUnreadable, type Layout } from '../domain/layouts/index.js'
import type { KeyValue } from '../etcd/range.js'

/** A stored key as endpoints. A value that cannot be read is one endpoint with its problem, never an error. */
export function decodeEndpoints(layout: Layout, kv: KeyValue): Endpoint[] {
  const { key, lease, createRevision, modRevision } = kv
  const stored = { key, layout: layout.name, lease, createRevision, modRevision }
  const decoded = layout.decode(key, kv.value)
  if (isUnreadable(decoded)) return [{ ...decoded, ...stored, weight: 0, metadata: {} }]
  return decoded.map((registered) => ({ ...registered, ...stored, problem: null }))
}
