import { defineLayout } from './define.js'
import { goJson, goMap } from './go-json.js'
import { Fields } from './json-fields.js'
import { spliceJson } from './json-splice.js'
import { Problem } from './layout.js'
import { emptyMap, weightOf, withWeightOf } from './metadata-weight.js'

/** grpclb2etcd's pickers use 1 for a missing or negative weight. They use it for 0 too, but here 0 means drained. */
const RULE = { missing: 1, negativeIsMissing: true }

/** pandaychen/grpclb2etcd: key `/{root}/{service}/{version}/{node}`; the address is only in the value. */
export const pandaychen = defineLayout({
  name: 'pandaychen',
  base: '/lb_root',
  keys: '/{root}/{service}/{version}/{node}',
  defaultTtlSeconds: 10,
  id: 'made',
  // srv_discovery/watcher.go: addAddr returns before it stores a new value of a known address.
  weightCaveat: "grpclb2etcd's own client applies a new weight of a known address only after a restart",
  hasVersion: true,
  claimedBy: 'members',
  ownsBase: true,
  claims: ({ members }) => members !== null && 'AddrInfo' in members,
  baseOf: (key) => (key.split('/').length === 5 ? (/^\/[^/]+/.exec(key)?.[0] ?? null) : null),
  // Other data also has keys of four segments. Under another base, the third must look like a version.
  isLikely: (key) => /^\/(lb_root\/[^/]+\/[^/]+|[^/]+\/[^/]+\/v?\d[^/]*)\/[^/]+$/.test(key),
  keyParts(rest) {
    const [service = '', version = '', ...node] = rest.split('/')
    return { service, version, addr: node.join('/') }
  },
  read(value, rest) {
    const fields = Fields.parse(value)
    const stored = fields.textMap('Metadata')
    const metadata = stored ?? {}
    const [service = '', version = '', id, ...more] = rest.split('/')
    if (!id || version === '' || more.length > 0) throw new Problem('key is not {service}/{version}/{node}')
    const extra = emptyMap('Metadata', stored)
    const weight = weightOf(metadata, RULE)
    const addr = fields.text('AddrInfo')
    return [{ service, version, addr, weight, id, metadata, ...(extra ? { extra } : {}) }]
  },
  key: ([{ service, version, id = '' }], base) => `${base}/${service}/${version}/${id}`,
  write([{ addr, weight, metadata, extra }]) {
    const map = withWeightOf(metadata, weight, RULE)
    return goJson({
      AddrInfo: addr,
      Metadata: Object.keys(map).length > 0 ? goMap(map) : (extra?.Metadata ?? null),
    })
  },
  withWeight: (value, weight) => spliceJson(value, [{ field: 'Metadata' }, 'weight'], `"${weight}"`),
  hint: ({ weight }) =>
    weight === 0 ? { code: 'zero-is-default', text: "grpclb2etcd's own clients read weight 0 as 1" } : null,
})
