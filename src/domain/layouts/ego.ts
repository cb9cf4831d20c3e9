import { defineLayout } from './define.js'
import { goJson, goMap } from './go-json.js'
import { Fields, problemByFlags } from './json-fields.js'
import { spliceJson } from './json-splice.js'
import { notAnEndpoint, Problem } from './layout.js'

/** Ego's defaults, in the order of the fields of its struct. */
const DEFAULTS = {
  enable: true,
  healthy: true,
  metadata: null,
  region: '',
  zone: '',
  kind: 1,
  deployment: '',
  group: '',
  services: null,
}

/**
 * gotomicro/ego, eetcd: key `/{prefix}/{name}/providers/{scheme}://{addr}`, with two slashes. ServiceTTL is
 * 0 by default; keys then have no lease.
 */
export const ego = defineLayout({
  name: 'ego',
  base: '/ego',
  keys: '/{prefix, ego}/{name}/providers/{scheme}://{addr}',
  defaultTtlSeconds: 0,
  firstWeight: 100,
  claimedBy: 'members',
  ownsBase: true,
  claims: ({ members }) => members !== null && ['name', 'scheme', 'address'].every((name) => name in members),
  baseOf: (key) => KEY.exec(key)?.[1] ?? (key.startsWith('/ego/') ? '/ego' : null),
  keyParts: (rest) => ({
    service: rest.slice(0, Math.max(0, rest.indexOf('/'))),
    version: '',
    addr: rest.slice(rest.lastIndexOf('/') + 1),
  }),
  read(value, rest) {
    const [service, kind] = rest.split('/')
    if (kind !== undefined && kind !== 'providers') return notAnEndpoint(`one of the ${kind} of ${service}`)
    const fields = Fields.parse(value)
    const scheme = fields.text('scheme')
    const addr = fields.text('address')
    if (addr === '') throw new Problem('address is empty')
    return [
      {
        service: fields.text('name'),
        version: '',
        addr,
        weight: fields.amount('weight'),
        metadata: fields.textMap('metadata') ?? {},
        problem: problemByFlags(scheme, fields),
        extra: fields.rest('name', 'address', 'weight') ?? {},
      },
    ]
  },
  key: ([{ service, addr, extra }], base) =>
    `${base}/${service}/providers/${extra?.scheme ?? 'grpc'}://${addr}`,
  write([{ service: name, addr: address, weight, metadata, extra }]) {
    const given = Object.keys(metadata).length === 0 ? null : metadata
    const own = extra ?? { metadata: given }
    const { scheme, enable, healthy, metadata: map, ...rest } = { scheme: 'grpc', ...DEFAULTS, ...own }
    return goJson({ name, scheme, address, weight, enable, healthy, metadata: goMap(map), ...rest })
  },
  withWeight: (value, weight) => spliceJson(value, [{ field: 'weight' }], String(weight)),
  hint: ({ lease }) =>
    lease === null ? { code: 'ego-no-lease', text: 'ego uses no lease unless ServiceTTL is set' } : null,
})

const KEY = /^(\/.+)\/[^/]+\/providers\/[a-z][a-z0-9+.-]*:\/\/./s
