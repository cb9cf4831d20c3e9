import { notDialled } from '../endpoint.js'
import { ExactNumber, parseExactJson, writeJson } from '../exact-json.js'
import { textOf } from '../key-text.js'
import { defineLayout } from './define.js'
import { goJson, goMap } from './go-json.js'
import { asText, requireObject } from './json-fields.js'
import { rawMember, spliceJson } from './json-splice.js'
import { Problem } from './layout.js'

/** In keys, the placeholder for an unset version. */
const NO_VERSION = 'latest'

type Metadata = Readonly<Record<string, unknown>>

/**
 * GoFrame, contrib/registry/etcd: key `/{head}/{deployment}/{namespace}/{name}/{version}/{addr[,addr…]}`; the value
 * is a JSON object with the metadata, whose values have any type. Several addresses in one key share its weight.
 */
export const goframe = defineLayout({
  name: 'goframe',
  base: '/service/default/default',
  keys: '/service/{deployment}/{namespace}/{name}/{version, latest}/{addr[,addr…]}',
  defaultTtlSeconds: 10,
  firstWeight: 0,
  hasVersion: true,
  claimedBy: 'key',
  claims: ({ members, text }, key) => (members !== null || text === 'null') && BASE.test(key),
  baseOf: (key) => BASE.exec(key)?.[0] ?? null,
  keyParts(rest) {
    const [service = '', version = '', ...tail] = rest.split('/')
    return { service, version: version === NO_VERSION ? '' : version, addr: tail.join('/') }
  },
  read(value, rest) {
    const [service = '', version = '', addresses = '', ...more] = rest.split('/')
    if (addresses === '' || more.length > 0) throw new Problem('key is not {name}/{version}/{addresses}')
    const stored = metadataIn(value)
    const protocol = stored?.protocol
    const common = {
      service,
      version: version === NO_VERSION ? '' : version,
      weight: weightOf(stored ?? {}),
      metadata: Object.fromEntries(Object.entries(stored ?? {}).map(asText)),
      extra: { metadata: stored },
      problem:
        protocol === undefined || protocol === 'grpc'
          ? null
          : notDialled(`speaks ${String(protocol)}, not gRPC`),
    }
    const [first = '', ...others] = addresses.split(',')
    return [{ ...common, addr: first }, ...others.map((addr) => ({ ...common, addr }))]
  },
  key: (registrations, base) => {
    const [{ service, version }] = registrations
    return `${base}/${service}/${version || NO_VERSION}/${registrations.map(({ addr }) => addr).join(',')}`
  },
  write: ([{ weight, metadata, extra }]) => {
    const stored = extra === undefined ? metadata : (extra.metadata as Metadata | null)
    if (weightOf(stored ?? {}) === weight) return goJson(goMap(stored))
    return goJson(goMap({ ...stored, weight: typeof stored?.weight === 'string' ? String(weight) : weight }))
  },
  withWeight(value, weight) {
    const isText = rawMember(value, 'weight')?.startsWith('"') ?? false
    return spliceJson(value, ['weight'], isText ? `"${weight}"` : String(weight))
  },
})

const BASE = /^\/service\/[^/]+\/[^/]+(?=\/[^/]+\/[^/]+\/[^/]+$)/

function metadataIn(value: Uint8Array): Metadata | null {
  try {
    const parsed: unknown = parseExactJson(textOf(value))
    return parsed === null ? null : requireObject(parsed, 'value')
  } catch (thrown) {
    throw thrown instanceof Problem ? thrown : new Problem('value is not JSON')
  }
}

/**
 * The weight may have any type: GoFrame converts it by gconv.Int, which truncates fractions, reads texts (decimal,
 * hexadecimal, floating), counts `true` as 1, and returns 0 for a text that is not a number. Its own picker
 * (gsel_selector_weight.go) never picks an endpoint with a weight below 1.
 *
 * @throws Problem for a weight above 2^53
 */
function weightOf({ weight: written }: Metadata): number {
  const weight = written instanceof ExactNumber ? Number(written.text) : written
  const number = Math.trunc(typeof weight === 'string' ? numberIn(weight) : Number(weight ?? 0))
  if (!(number > 0)) return 0
  if (Number.isSafeInteger(number)) return number
  throw new Problem(`weight ${writeJson(written)} is above 2^53`)
}

function numberIn(text: string): number {
  return GO_NUMBER.test(text) ? Number(text.replace(/^[+]/, '')) : 0
}

/** The numbers that gconv reads, except negative hexadecimal ones: a negative weight counts as 0 anyway. */
const GO_NUMBER = /^\+?0[xX][0-9a-fA-F]+$|^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/
