import { type EndpointRecord, notDialled } from '../endpoint.js'
import { baseBefore, defineLayout } from './define.js'
import { goJson, goMap } from './go-json.js'
import { Fields } from './json-fields.js'
import { spliceJson } from './json-splice.js'
import type { EndpointRecords } from './layout.js'
import { Problem } from './layout.js'
import { emptyMap, weightOf, withWeightOf } from './metadata-weight.js'
import { readUrl } from './url.js'

/** The default of Kratos' selector for a node without a weight. */
const MISSING_WEIGHT = 100

const RULE = { missing: MISSING_WEIGHT }

/**
 * Kratos, contrib/registry/etcd (v2, v3): key `{namespace}/{name}/{id}`; one instance with a URL for each of its
 * protocols. The weight, by convention, is text in its metadata.
 */
export const kratos = defineLayout({
  name: 'kratos',
  base: '/microservices',
  keys: '{namespace, /microservices}/{name}/{id}',
  defaultTtlSeconds: 15,
  firstWeight: MISSING_WEIGHT,
  id: 'made',
  hasVersion: true,
  allowsSlashes: true,
  claimedBy: 'members',
  ownsBase: true,
  claims: ({ members }) => members !== null && ['id', 'name', 'endpoints'].every((name) => name in members),
  // Programs may choose the namespace: the key alone identifies the layout only by the usual namespace, or by an id
  // in Kratos' own form.
  baseOf: (key) => (key.startsWith('/microservices/') ? '/microservices' : baseBefore(key, 2)),
  isLikely: (key) => key.includes('/microservices/') || UUID.test(key),
  read(value) {
    const fields = Fields.parse(value)
    const stored = fields.textMap('metadata')
    const metadata = stored ?? {}
    const extra = emptyMap('metadata', stored)
    const common = {
      service: fields.text('name'),
      version: fields.text('version'),
      id: fields.text('id'),
      weight: weightOf(metadata, RULE),
      metadata,
    }
    const [first, ...rest] = fields.list('endpoints').map((url) => ({ ...common, ...reached(url, extra) }))
    if (!first) throw new Problem('endpoints is empty')
    return [first, ...rest]
  },
  key: ([{ service, id = '' }], base) => `${base}/${service}/${id}`,
  write(registrations) {
    const [{ id, service: name, version, weight, metadata, extra }] = registrations
    const map = withWeightOf(metadata, weight, RULE)
    return goJson({
      id,
      name,
      version,
      metadata: Object.keys(map).length > 0 ? goMap(map) : (extra?.metadata ?? null),
      endpoints: urlsOf(registrations),
    })
  },
  withWeight: (value, weight) => spliceJson(value, [{ field: 'metadata' }, 'weight'], `"${weight}"`),
  hint: ({ extra }) =>
    /^grpcs:|[?&]isSecure=true/.test(String(extra?.url)) ? { code: 'tls', text: 'speaks TLS' } : null,
})

/** The end of a key with an id made by Kratos. */
const UUID = /\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function reached(
  url: unknown,
  extra: object | undefined,
): Pick<EndpointRecord, 'addr' | 'problem' | 'extra'> {
  if (typeof url !== 'string') throw new Problem('endpoints is not a list of strings')
  const { scheme, addr } = readUrl(url)
  const isGrpc = scheme === 'grpc' || scheme === 'grpcs'
  return {
    addr,
    extra: { ...extra, url },
    problem: isGrpc ? null : notDialled(scheme === null ? 'is not a URL' : `speaks ${scheme}, not gRPC`),
  }
}

function urlsOf(registrations: EndpointRecords): unknown[] {
  return registrations.map(({ addr, extra }) => extra?.url ?? `grpc://${addr}`)
}
