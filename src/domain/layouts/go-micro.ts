import { type EndpointRecord, notDialled } from '../endpoint.js'
import { defineLayout } from './define.js'
import { goJson, goMap } from './go-json.js'
import { Fields, isObject, requireObject } from './json-fields.js'
import type { EndpointRecords, Layout, Value } from './layout.js'
import { Problem } from './layout.js'

/** go-micro, registry/etcd (v5, v6): the metadata is the first member of a node. */
export const goMicro = microLayout(
  'go-micro',
  (node) => !startsWithId(node),
  (id, address, metadata) => ({
    metadata,
    id,
    address,
  }),
)

/** go-micro, registry/etcd (v2 to v4): the same keys and members, but the id is the first member of a node. */
export const goMicroV4 = microLayout('go-micro-v4', startsWithId, (id, address, metadata) => ({
  id,
  address,
  metadata,
}))

/**
 * Key `/micro/registry/{service}/{node id}`, with dashes in place of slashes; the value is the service with one node.
 * The key has a lease only if the program sets a TTL.
 */
function microLayout(
  name: string,
  isOwnNode: (node: unknown) => boolean,
  nodeOf: (id: string, address: string, metadata: unknown) => object,
): Layout {
  return defineLayout({
    name,
    base: '/micro/registry',
    keys: '/micro/registry/{service}/{node id}',
    defaultTtlSeconds: 0,
    weightless: 'its value has no field for a weight',
    id: 'made',
    hasVersion: true,
    allowsSlashes: true,
    claimedBy: 'members',
    ownsBase: name === 'go-micro',
    claims: ({ members }: Value) =>
      members !== null && 'name' in members && Array.isArray(members.nodes) && isOwnNode(members.nodes[0]),
    prefix: (base, service) => `${base}/${service === undefined ? '' : `${dashed(service)}/`}`,
    read(value) {
      const fields = Fields.parse(value)
      const common = { service: fields.text('name'), version: fields.text('version'), weight: 0 }
      const shared = { metadata: fields.textMap('metadata'), endpoints: fields.any('endpoints') ?? null }
      const [first, ...rest] = fields.list('nodes').map((node) => ({ ...common, ...nodeIn(node, shared) }))
      if (!first) throw new Problem('nodes is empty')
      return [first, ...rest]
    },
    key: ([{ service, id = '' }], base) => `${base}/${dashed(service)}/${dashed(id)}`,
    write(registrations: EndpointRecords) {
      const [{ service, version, extra }] = registrations
      return goJson({
        name: service,
        version,
        metadata: goMap(extra?.metadata ?? null),
        endpoints: endpointsOf(extra?.endpoints),
        nodes: registrations.map(({ id = '', addr, metadata, extra: own }) =>
          nodeOf(id, addr, Object.keys(metadata).length > 0 ? goMap(metadata) : (own?.node ?? null)),
        ),
      })
    },
  })
}

function nodeIn(
  node: unknown,
  shared: Readonly<Record<string, unknown>>,
): Pick<EndpointRecord, 'addr' | 'id' | 'metadata' | 'problem' | 'extra'> {
  const fields = new Fields(requireObject(node, 'node'))
  const stored = fields.textMap('metadata')
  const metadata = stored ?? {}
  const empty = stored !== null && Object.keys(stored).length === 0 ? { node: {} } : {}
  const { protocol } = metadata
  return {
    addr: fields.text('address'),
    id: fields.text('id'),
    metadata,
    extra: { ...shared, ...empty },
    problem:
      protocol === undefined || protocol === 'grpc' ? null : notDialled(`speaks ${protocol}, not gRPC`),
  }
}

/** The descriptions of a service's methods, as Go writes them: structs, in which only the metadata is a map. */
function endpointsOf(stored: unknown): unknown {
  if (!Array.isArray(stored)) return stored ?? null
  return stored.map((endpoint) =>
    isObject(endpoint) ? { ...endpoint, metadata: goMap(endpoint.metadata ?? null) } : endpoint,
  )
}

function startsWithId(node: unknown): boolean {
  return isObject(node) && Object.keys(node)[0] === 'id'
}

function dashed(text: string): string {
  return text.replaceAll('/', '-')
}
