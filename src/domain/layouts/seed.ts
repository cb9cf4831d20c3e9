import type { EndpointRecord } from '../endpoint.js'
import { defineLayout, endsInAddress } from './define.js'
import { goJson } from './go-json.js'
import { Fields } from './json-fields.js'
import { spliceJson } from './json-splice.js'

/**
 * The default layout: key `/{name}/[{version}/]{addr}`, value `{"name","addr","version","weight"}` in that order;
 * `id` and `metadata` follow only when given. Its base is the root itself.
 */
export const seed = defineLayout({
  name: 'seed',
  base: '/',
  keys: '/{name}/[{version}/]{addr}',
  defaultTtlSeconds: 10,
  hasVersion: true,
  id: 'optional',
  // Its watcher ignores a PUT of a known address; its resync, once a minute, takes the new value.
  weightCaveat:
    "The Go client of this layout's source documents ignores a new weight of an address that it knows until its resync, once a minute",
  claimedBy: 'common-members',
  claims: ({ members }) => members !== null && 'name' in members && 'addr' in members,
  baseOf: (key) => (key.startsWith('/') ? '/' : null),
  // A short key may have a damaged value; a longer one without an address at its end is of another kind.
  isLikely: (key) => key.startsWith('/') && (endsInAddress(key) || key.split('/').length <= 3),
  place,
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

/** One object for all endpoints without metadata: a list may have 100,000. */
const NO_METADATA = {}

/** `{service}/[{version}/]{the rest}`. */
function place(rest: string): Pick<EndpointRecord, 'service' | 'version' | 'addr'> {
  const [service = '', ...tail] = rest.split('/')
  const [version, ...addr] = tail.length > 1 && !tail[0]?.includes(':') ? tail : ['', ...tail]
  return { service, version: version ?? '', addr: addr.join('/') }
}
