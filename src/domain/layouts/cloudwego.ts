import { notDialled } from '../endpoint.js'
import { baseBefore, defineLayout, endsInAddress, prefixUnder } from './define.js'
import { goJson, goMap } from './go-json.js'
import { Fields } from './json-fields.js'
import { spliceJson } from './json-splice.js'
import type { Layout } from './layout.js'
import { emptyMap } from './metadata-weight.js'

/** The differences between Kitex and Hertz, both of CloudWeGo. */
interface Dialect
  extends Pick<Layout, 'name' | 'base' | 'keys'>,
    Partial<Pick<Layout, 'baseOf' | 'isLikely'>> {
  /** The stored form of an address: Hertz writes IPv6 with brackets, Kitex without. */
  addressOf(addr: string): string
  /** Writes the value. Tags are a Go map, which Kitex sorts and Hertz writes in any order. */
  json(value: { network: unknown; address: unknown; weight: number; tags: unknown }): string
}

/** The weight that clients of both use for a negative weight. They use it for 0 too, but here 0 means drained. */
const DEFAULT_WEIGHT = 10

/** `{"network","address","weight","tags"}` under `{prefix}/{service}/{address}`. */
function cloudwego(dialect: Dialect): Layout {
  return defineLayout({
    defaultTtlSeconds: 60,
    firstWeight: DEFAULT_WEIGHT,
    ...dialect,
    claimedBy: 'members',
    ownsBase: true,
    claims: ({ members }, key) =>
      members !== null &&
      'network' in members &&
      'address' in members &&
      key.startsWith('hertz/') === (dialect.name === 'hertz'),
    read(value, rest) {
      const fields = Fields.parse(value)
      const [service = ''] = rest.split('/')
      const network = fields.text('network')
      const address = fields.text('address')
      const tags = fields.textMap('tags')
      const addr = bracketed(address)
      const extra = {
        ...(network === 'tcp' ? {} : { network }),
        ...(dialect.addressOf(addr) === address ? {} : { address }),
        ...emptyMap('tags', tags),
      }
      return [
        {
          service,
          version: '',
          addr,
          weight: weightIn(fields),
          metadata: tags ?? {},
          problem: /^tcp[46]?$/.test(network) ? null : notDialled(`network is ${network || 'empty'}`),
          ...(Object.keys(extra).length === 0 ? {} : { extra }),
        },
      ]
    },
    key: ([{ service, addr, extra }], base) =>
      prefixUnder(base, service) + (extra?.address ?? dialect.addressOf(addr)),
    write: ([{ addr, weight, metadata, extra }]) =>
      dialect.json({
        network: extra?.network ?? 'tcp',
        address: extra?.address ?? dialect.addressOf(addr),
        weight,
        tags: Object.keys(metadata).length > 0 ? metadata : (extra?.tags ?? null),
      }),
    withWeight: (value, weight) => spliceJson(value, [{ field: 'weight' }], String(weight)),
    hint: ({ weight }) =>
      weight === 0
        ? { code: 'zero-is-default', text: "Kitex's and Hertz' own clients read weight 0 as 10" }
        : null,
  })
}

/**
 * For a negative weight, clients of Kitex and Hertz use the default (etcd_resolver.go of registry-etcd, NewInstance of
 * Hertz).
 */
function weightIn(fields: Fields): number {
  const weight = fields.integer('weight')
  return weight < 0 ? DEFAULT_WEIGHT : weight
}

/** Adds brackets to an IPv6 address. Kitex reads `fd00::1:8888` as host and port; gRPC requires brackets. */
function bracketed(address: string): string {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, Math.max(0, colon))
  return host.includes(':') && !host.startsWith('[') ? `[${host}]${address.slice(colon)}` : address
}

/**
 * Kitex, registry-etcd. With a user and password it writes no prefix. Its keys `/{service}/{addr}` then look like
 * seed keys without a version, and only the value distinguishes them.
 */
export const kitex = cloudwego({
  name: 'kitex',
  base: 'kitex/registry-etcd',
  keys: '{prefix, kitex/registry-etcd}/{service}/{addr}',
  baseOf: (key) => baseBefore(key, 2),
  isLikely: endsInAddress,
  addressOf: (addr) => addr.replace(/^\[(.*)\](:\d+)$/, '$1$2'),
  json: ({ tags, ...value }) => goJson({ ...value, tags: goMap(tags) }),
})

/** Hertz, registry/etcd. It writes JSON by sonic, which escapes nothing for HTML and writes tags in any order. */
export const hertz = cloudwego({
  name: 'hertz',
  base: 'hertz/registry-etcd',
  keys: 'hertz/registry-etcd/{service}/{addr}',
  addressOf: (addr) => addr,
  json: (value) => JSON.stringify(value),
})
