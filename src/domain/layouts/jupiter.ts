import { defineLayout } from './define.js'
import { goJson, goMap } from './go-json.js'
import { Fields, problemByFlags } from './json-fields.js'
import { spliceJson } from './json-splice.js'
import { Problem } from './layout.js'

/** In keys, the placeholder for an unset mode. */
const NO_MODE = 'unknown-mode'

/** Jupiter's defaults, in the order of the fields of its struct. */
const DEFAULTS = {
  enable: true,
  healthy: true,
  metadata: {},
  region: 'default',
  zone: 'default',
  kind: 1,
  version: '',
  mode: '',
  hostname: '',
  deployment: 'default',
  group: '',
}

/**
 * douyu/jupiter, registry/etcdv3: key `{scheme}:{name}:v1:{mode}/{addr}`. Clients of etcd's own naming can read
 * the value, but ignore its MetadataX.
 */
export const jupiter = defineLayout({
  name: 'jupiter',
  base: 'grpc',
  keys: '{scheme, grpc}:{name}:v1:{mode}/{addr}',
  defaultTtlSeconds: 60,
  firstWeight: 100,
  claimedBy: 'narrower-members',
  claims: ({ members }) => members !== null && 'Addr' in members && 'MetadataX' in members,
  baseOf: (key) => KEY.exec(key)?.[1] ?? null,
  prefix: (base, service) => `${base}:${service === undefined ? '' : `${service}:v1:`}`,
  keyParts(rest) {
    const [service = ''] = rest.split(':', 1)
    return { service, version: '', addr: rest.slice(rest.indexOf('/') + 1) }
  },
  read(value, rest) {
    const fields = Fields.parse(value)
    const stored = fields.object('MetadataX')
    const [, mode] = /^[^/]*:v1:([^:/]*)\//.exec(rest) ?? []
    if (mode === undefined) throw new Problem('key is not {name}:v1:{mode}/{addr}')
    const scheme = stored.text('scheme')
    return [
      {
        service: stored.text('name'),
        version: stored.text('version'),
        addr: fields.text('Addr'),
        weight: stored.amount('weight'),
        metadata: stored.textMap('metadata') ?? {},
        problem: problemByFlags(scheme, stored),
        extra: { mode, MetadataX: stored.rest('name', 'weight') },
      },
    ]
  },
  key([{ service, addr, extra }], base) {
    return `${base}:${service}:v1:${extra?.mode ?? NO_MODE}/${addr}`
  },
  write([{ service: name, addr, version, weight, metadata, extra }]) {
    const { appId, scheme, address, ...rest } = {
      appId: '',
      scheme: 'grpc',
      address: addr,
      ...DEFAULTS,
      ...(extra === undefined ? { metadata, version } : (extra.MetadataX as object)),
    }
    const { enable, healthy, metadata: map, ...last } = rest
    return goJson({
      Op: 0,
      Addr: addr,
      MetadataX: { name, appId, scheme, address, weight, enable, healthy, metadata: goMap(map), ...last },
    })
  },
  withWeight: (value, weight) =>
    spliceJson(value, [{ field: 'MetadataX' }, { field: 'weight' }], String(weight)),
})

const KEY = /^([a-z][a-z0-9+.-]*):[^/]+:v1:[^:/]*\/./s
