import { formatAddress } from '../address.js'
import { notDialled } from '../endpoint.js'
import { defineLayout } from './define.js'
import { goJson } from './go-json.js'
import { Fields } from './json-fields.js'
import { spliceJson } from './json-splice.js'
import { notAnEndpoint, Problem } from './layout.js'

/**
 * SkyDNS, and CoreDNS' etcd plugin: key `/skydns/{labels of the domain, reversed}/{id}`; the value is JSON
 * without empty members. Records are written by hand or by controllers, mostly without a lease.
 */
export const skydns = defineLayout({
  name: 'skydns',
  base: '/skydns',
  keys: '/skydns/{labels, reversed}/{id}',
  defaultTtlSeconds: 0,
  wantsLease: false,
  firstWeight: 0,
  id: 'made',
  claimedBy: 'key',
  ownsBase: true,
  claims: ({ members }, key) => members !== null && 'host' in members && key.startsWith('/skydns/'),
  prefix: (base, service) => `${base}/${service === undefined ? '' : `${reversed(service, '.', '/')}/`}`,
  keyParts: (rest) => ({ service: domainOf(rest), version: '', addr: rest.slice(rest.lastIndexOf('/') + 1) }),
  read(value, rest) {
    const fields = Fields.parse(value)
    const host = fields.text('host')
    if (host === '') return notAnEndpoint('a record without a host')
    const id = rest.slice(rest.lastIndexOf('/') + 1)
    const service = domainOf(rest)
    if (service === '' || id === '') throw new Problem('key is not {labels}/{id}')
    const port = fields.count('port')
    const text = fields.text('text')
    const extra = fields.rest('host', 'port', 'weight', 'text')
    return [
      {
        service,
        version: '',
        id,
        weight: fields.count('weight'),
        addr: port === 0 ? host : formatAddress({ kind: 'tcp', host, port }),
        metadata: text === '' ? {} : { text },
        problem: port === 0 ? notDialled('has no port') : null,
        extra: { ...extra, host, port },
      },
    ]
  },
  key: ([{ service, id = '' }], base) => `${base}/${reversed(service, '.', '/')}/${id}`,
  write: ([{ addr, weight, metadata, extra }]) => {
    const { host, port, ...rest } = { ...hostAndPort(addr), ...extra }
    const { priority, mail, ttl, targetstrip, group } = rest as Readonly<Record<string, unknown>>
    const members = { host, port, priority, weight, text: metadata.text, mail, ttl, targetstrip, group }
    return goJson(Object.fromEntries(Object.entries(members).filter(([, member]) => Boolean(member))))
  },
  withWeight: (value, weight) => spliceJson(value, [{ field: 'weight' }], String(weight)),
})

function domainOf(rest: string): string {
  const slash = rest.lastIndexOf('/')
  return slash < 0 ? '' : reversed(rest.slice(0, slash), '/', '.')
}

function reversed(text: string, from: string, to: string): string {
  return text.split(from).reverse().join(to)
}

function hostAndPort(addr: string): { host: string; port: number } {
  const colon = addr.lastIndexOf(':')
  return { host: addr.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(addr.slice(colon + 1)) }
}
