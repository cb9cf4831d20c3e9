import { defineLayout } from './define.js'
import { goJson } from './go-json.js'
import { Fields } from './json-fields.js'

/**
 * panshiqu/golang: key `discovery/{env}/{service}/{addr}`; the value's Metadata is an id to which a client may pin. If
 * no such id is registered, the picker of panshiqu/golang silently takes any endpoint.
 */
export const panshiqu = defineLayout({
  name: 'panshiqu',
  base: 'discovery/dev',
  keys: 'discovery/{env}/{service}/{addr}',
  defaultTtlSeconds: 60,
  weightless: 'its value has only an address and an id',
  id: 'required',
  claimedBy: 'narrower-members',
  ownsBase: true,
  claims: ({ members }, key) => members !== null && 'Addr' in members && !('Op' in members) && BASE.test(key),
  baseOf: (key) => BASE.exec(key)?.[0] ?? null,
  read(value, rest) {
    const fields = Fields.parse(value)
    const [service = ''] = rest.split('/')
    const common = { service, version: '', weight: 0, metadata: {} }
    return [{ ...common, addr: fields.text('Addr'), id: fields.text('Metadata') }]
  },
  key: ([{ service, addr }], base) => `${base}/${service}/${addr}`,
  write: ([{ addr, id = '' }]) => goJson({ Addr: addr, Metadata: id }),
  hint: () => ({
    code: 'pin-unseen',
    text: 'etcd clients since 3.5.27 and 3.6.8 cannot pin to an id',
  }),
})

const BASE = /^discovery\/[^/]+(?=\/[^/]+\/.)/s
