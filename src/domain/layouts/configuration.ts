import { defineLayout } from './define.js'
import { type Layout, notAnEndpoint } from './layout.js'

/** Configuration of a gateway in etcd: recognised by its base, listed as configuration, and never changed. */
function configuration(name: string, base: string, keys: string): Layout {
  return defineLayout({
    name,
    base,
    keys,
    defaultTtlSeconds: 0,
    wantsLease: false,
    isConfiguration: true,
    weightless: 'it is configuration',
    readOnly: 'it is configuration, not a registry',
    claimedBy: 'key',
    claims: (_value, key) => key.startsWith(`${base}/`),
    read: () => notAnEndpoint('configuration'),
    key: () => '',
  })
}

/** Traefik's KV provider. */
export const traefik = configuration('traefik', 'traefik', 'traefik/http/services/…')

/** The configuration of APISIX, such as upstreams and routes. */
export const apisix = configuration('apisix', '/apisix', '/apisix/upstreams/{id}')
