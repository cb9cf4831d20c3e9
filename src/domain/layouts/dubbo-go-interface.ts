import { notDialled } from '../endpoint.js'
import { defineLayout } from './define.js'
import { notAnEndpoint, Problem } from './layout.js'
import { weightOf } from './metadata-weight.js'
import { readUrl, unescaped } from './url.js'

/** Dubbo's default for a provider without a weight. */
const RULE = { missing: 100 }

/**
 * The etcdv3 registry of dubbo-go, with one key for each provider of an interface:
 * `/{group}/{service}/providers/{escaped URL}`. The value is empty. The directories of the path are keys too, also with
 * an empty value.
 */
export const dubboGoInterface = defineLayout({
  name: 'dubbo-go-interface',
  base: '/dubbo',
  keys: '/{group, dubbo}/{service}/providers/{URL, escaped}',
  defaultTtlSeconds: 30,
  weightless: 'the weight is part of the key, so that a new weight would be a new provider',
  readOnly: "each key is a URL in the framework's own format, and the framework never deletes it",
  claimedBy: 'key',
  ownsBase: true,
  claims: ({ text }, key) => text === '' && BASE.test(key),
  baseOf: (key) => BASE.exec(key)?.slice(1).find(Boolean) ?? null,
  read(_value, rest) {
    const [service = '', kind, escaped, ...more] = rest.split('/')
    if (kind === undefined || escaped === undefined) return notAnEndpoint('a directory')
    if (kind !== 'providers') return notAnEndpoint(`one of the ${kind}`)
    const url = unescaped(escaped, 'key does not end in an escaped URL')
    const { scheme, addr } = readUrl(url)
    if (scheme === null || more.length > 0) throw new Problem('key does not end in a URL')
    const query = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?') + 1) : '')
    const metadata = Object.fromEntries(query)
    return [
      {
        service,
        version: metadata.version ?? '',
        addr,
        weight: weightOf(metadata, RULE),
        metadata,
        problem: GRPC.has(scheme) ? null : notDialled(`speaks ${scheme}, not gRPC`),
        extra: { escaped },
      },
    ]
  },
  key: ([{ service, extra }], base) => `${base}/${service}/providers/${extra?.escaped}`,
})

const BASE =
  /^(?:(\/dubbo)(?=\/|$)|(\/[^/]+)(?=\/[^/]+\/(?:providers|consumers|configurators|routers)(?:\/|$)))/

/** URL schemes of providers that gRPC clients can call: Dubbo's Triple protocol (`tri`) is gRPC. */
const GRPC = new Set(['tri', 'grpc'])
