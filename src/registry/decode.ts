import type { Endpoint } from '../domain/endpoint.js'
import { isNoEndpoint, isUnreadable } from '../domain/layouts/index.js'
import type { Reader } from '../domain/layouts/reader.js'
import { rootBefore } from '../domain/layouts/root.js'
import type { KeyValue } from '../etcd/range.js'

/**
 * A stored key as endpoints; none where it is no registration, or one of another service. A value that cannot
 * be read is one endpoint with its problem, never an error.
 */
export function decodeEndpoints(reader: Reader, kv: KeyValue, service?: string): Endpoint[] {
  const found = reader.read(kv.key, kv.value)
  if (found === null || isNoEndpoint(found.decoded)) return []
  const { key, lease, createRevision, modRevision } = kv
  const stored = { key, layout: found.layout.name, lease, createRevision, modRevision }
  if (isUnreadable(found.decoded)) {
    if (service !== undefined && !key.startsWith(found.layout.prefix(service))) return []
    const { belongsAt, problem, ...place } = found.decoded
    const rootHint = belongsAt === undefined ? null : rootBefore(key, belongsAt)
    const hinted =
      rootHint === null ? { problem } : { problem: `${problem}: try --root ${rootHint}`, rootHint }
    return [{ ...place, ...stored, ...hinted, unreadable: true, weight: 0, metadata: {} }]
  }
  return found.decoded
    .filter((registered) => service === undefined || registered.service === service)
    .map(({ notDialled = null, ...registered }) =>
      // A list has up to 100,000 of them, and spreads take ten times as long.
      Object.assign(registered, stored, { problem: notDialled }),
    )
}
