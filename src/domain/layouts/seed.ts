import type { EndpointRecord } from '../endpoint.js'
import { defineLayout, endsInAddress } from './define.js'
import { goJson } from './go-json.js'
import { Fields } from './json-fields.js'
import { spliceJson } from './json-splice.js'

/**
 * The default layout: key `/{name}/[{version}/]{addr}`, value `{"name","addr","version","weight"}` in that order;
 * `id` and `metadata` follow only if given. The base is always `/`; a prefix of all keys is a root.
 */
export const seed = defineLayout({
  name: 'seed',
  base: '/',
  keys: '/{name}/[{version}/]{addr}',
  defaultTtlSeconds: 10,
  hasVersion: true,
  id: 'optional',
  // The watcher of that client ignores a PUT of a known address. Its resync, once a minute, reads the new value.
  weightCaveat:
    "Go clients that follow this layout's source documents apply a new weight only at their next resync, once a minute",
  claimedBy: 'common-members',
  claims: ({ members }) => members !== null && 'name' in members && 'addr' in members,
  baseOf: (key) => (key.startsWith('/') ? '/' : null),
  // A short key is read even without an address at its end: a damaged value is then reported.
  isLikely: (key) => key.startsWith('/') && (endsInAddress(key) || key.split('/').length <= 3),
  keyParts,
  read(value) {
    const fields = Fields.parse(value)
    const id = fields.optionalText('id')
    const registered: EndpointRecord = {
      service: fields.text('name'),
      version: fields.text('version'),
      addr: fields.text('addr'),
      weight: fields.count('weight'),
      metadata: fields.textMap('metadata') ?? NO_METADATA,
    }
    return [id === undefined ? registered : { ...registered, id }]
  },
  // Addresses such as unix:/path contain slashes: the key is verified by encoding it again, not by splitting it.
  key: ([{ service, version, addr }], base) =>
    version === '' ? `${base}${service}/${addr}` : `${base}${service}/${version}/${addr}`,
  write: ([{ service: name, addr, version, weight, id, metadata }]) =>
    goJson({
      name,
      addr,
      version,
      weight,
      id,
      metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
    }),
  withWeight: (value, weight) => spliceJson(value, [{ field: 'weight' }], String(weight)),
})

/** One object for all endpoints without metadata, to save memory: a list may have 100,000. */
const NO_METADATA = {}

/** Splits `{service}/[{version}/]{addr}`. A part with a colon is not a version. */
function keyParts(rest: string): Pick<EndpointRecord, 'service' | 'version' | 'addr'> {
  const [service = '', ...tail] = rest.split('/')
  const [version, ...addr] = tail.length > 1 && !tail[0]?.includes(':') ? tail : ['', ...tail]
  return { service, version: version ?? '', addr: addr.join('/') }
}
