import { readAddress } from '../address.js'
import { leaseDecimal } from '../endpoint.js'
import { textOf } from '../key-text.js'
import { defineLayout } from './define.js'
import { Problem } from './layout.js'

/**
 * go-zero's core/discov: key `{key}/{lease id, in decimal}`, or with an id from the configuration in place of the lease
 * id; the value is the address. A lease id in the key changes at every new registration.
 */
export const goZero = defineLayout({
  name: 'go-zero',
  base: '',
  keys: '{key}/{lease id in decimal, or id}',
  defaultTtlSeconds: 10,
  weightless: 'its value is only an address',
  id: 'optional',
  allowsSlashes: true,
  claimedBy: 'text',
  claims: ({ text }, key) => ID.test(key) && !('problem' in readAddress(text)),
  baseOf: (key) => (ID.test(key) ? (key.startsWith('/') ? '/' : '') : null),
  keyParts(rest) {
    const slash = rest.lastIndexOf('/')
    return { service: rest.slice(0, Math.max(0, slash)), version: '', addr: rest.slice(slash + 1) }
  },
  read(value, rest) {
    const addr = textOf(value)
    const address = readAddress(addr)
    if ('problem' in address) throw new Problem(`value ${address.problem}`)
    const [, service = '', id] = /^(.+)\/(\d+)$/s.exec(rest) ?? []
    if (id === undefined) throw new Problem('key does not end in an id')
    return [{ service, version: '', addr, weight: 0, id, metadata: {} }]
  },
  key: ([{ service, id }], base, lease) =>
    `${base}${service}/${id ?? (lease === null ? '' : leaseDecimal(lease))}`,
  write: ([{ addr }]) => addr,
})

const ID = /.\/\d+$/s
