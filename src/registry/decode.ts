import type { Endpoint, EndpointProblem, EndpointRecord } from '../domain/endpoint.js'
import type { Unusable } from '../domain/layouts/index.js'
import type { Reader } from '../domain/layouts/reader.js'
import { rootBefore } from '../domain/layouts/root.js'
import type { KeyValue } from '../etcd/pairs.js'

/**
 * Decodes a stored key into endpoints: none for a key that is not a registration, or belongs to another service. An
 * unreadable value becomes one endpoint with a problem, not an error.
 */
export function decodeEndpoints(reader: Reader, kv: KeyValue, service?: string): Endpoint[] {
  const found = reader.read(kv.key, kv.value)
  if (found === null || found.decoded.kind === 'not-an-endpoint') return []
  const { decoded } = found
  const { key, lease, createRevision, modRevision } = kv
  const stored = { key, layout: found.layout.name, lease, createRevision, modRevision }
  if (decoded.kind === 'unusable') {
    if (service !== undefined && !key.startsWith(found.layout.prefix(service))) return []
    const { kind: _kind, ...named } = decoded
    return [{ ...named, ...stored, problem: withRootHint(decoded, key), weight: 0, metadata: {} }]
  }
  const endpoints: Endpoint[] = []
  for (const record of decoded.records) {
    if (service === undefined || record.service === service) endpoints.push(endpointOf(record, stored))
  }
  return endpoints
}

/** Without spreads, which take ten times as long as one literal: a list may have 100,000 endpoints. */
function endpointOf(record: EndpointRecord, stored: StoredFields): Endpoint {
  const { service, version, addr, weight, id, metadata, problem = null, extra } = record
  const { key, layout, lease, createRevision, modRevision } = stored
  const endpoint = {
    service,
    version,
    addr,
    weight,
    metadata,
    key,
    layout,
    lease,
    createRevision,
    modRevision,
    problem,
  }
  if (id === undefined && extra === undefined) return endpoint
  return Object.assign(endpoint, id === undefined ? {} : { id }, extra === undefined ? {} : { extra })
}

type StoredFields = Pick<Endpoint, 'key' | 'layout' | 'lease' | 'createRevision' | 'modRevision'>

function withRootHint({ problem }: Unusable, key: string): EndpointProblem {
  if (problem.kind !== 'misplaced') return problem
  const rootHint = rootBefore(key, problem.belongsAt)
  if (rootHint === null) return problem
  return { ...problem, text: `${problem.text}: try --root ${rootHint}`, rootHint }
}
