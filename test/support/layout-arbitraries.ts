import fc from 'fast-check'
import type { EndpointRecord } from '../../src/domain/endpoint.js'
import type { EndpointRecords } from '../../src/domain/layouts/index.js'
import { addr, html, registered, segment, tcpAddr, text } from './arbitraries.js'

/** The fields of a registration in which layouts differ. Omitted fields have the same generator in all layouts. */
interface Parts {
  readonly service?: fc.Arbitrary<string>
  readonly version?: fc.Arbitrary<string>
  readonly addr?: fc.Arbitrary<string>
  readonly weight?: fc.Arbitrary<number>
  readonly id?: fc.Arbitrary<string | undefined>
  readonly metadata?: fc.Arbitrary<Readonly<Record<string, string>>>
}

const none = fc.constant('')
const noWeight = fc.constant(0)
const weight = fc.oneof(fc.nat({ max: 200 }), fc.nat({ max: 2 ** 31 - 1 }))
/** Weights in eighths, which Go and JavaScript represent exactly and print in the same form. */
const float = fc.nat({ max: 8_000 }).map((eighths) => eighths / 8)
const noMetadata: fc.Arbitrary<Readonly<Record<string, string>>> = fc.constant({})
const metadata = fc.dictionary(
  fc.oneof(text, html).filter((name) => !['weight', 'protocol', 'state'].includes(name)),
  fc.oneof(text, html, none),
  { maxKeys: 3 },
)
const slashes = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
const digits = fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }).map(String)
const ipv4 = fc
  .tuple(fc.oneof(fc.ipV4(), fc.domain()), fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => `${host}:${port}`)
const optional = (id: fc.Arbitrary<string>) => fc.option(id, { nil: undefined })
const labels = fc
  .array(
    segment.map((label) => label.replaceAll('.', '_')),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => parts.join('.'))

function one(parts: Parts): fc.Arbitrary<EndpointRecords> {
  return fc
    .record({
      service: segment,
      version: none,
      addr: tcpAddr,
      weight,
      metadata: noMetadata,
      id: fc.constant(undefined),
      ...parts,
    })
    .map(({ id, ...rest }) => [id === undefined ? rest : { ...rest, id }])
}

/** Several addresses under one key. */
function several(first: fc.Arbitrary<EndpointRecords>, others: fc.Arbitrary<string>) {
  return fc
    .tuple(first, fc.array(others, { maxLength: 2 }))
    .map(
      ([[registered], addrs]): EndpointRecords => [
        registered,
        ...addrs.map((addr) => ({ ...registered, addr })),
      ],
    )
}

/** Generators of all registrations that each layout can write. */
export const WRITABLE: Readonly<Record<string, fc.Arbitrary<EndpointRecords>>> = {
  seed: registered.map((one): readonly [EndpointRecord] => [one]),
  etcd: one({ service: slashes, addr, weight: noWeight, id: optional(segment), metadata }),
  panshiqu: one({ addr, weight: noWeight, id: fc.oneof(digits, text, html) }),
  pandaychen: one({ version: segment, addr, id: segment, metadata }),
  'go-zero': one({ service: slashes, weight: noWeight, id: digits }),
  kratos: several(
    one({ service: slashes, version: fc.oneof(none, segment), id: segment, metadata }),
    tcpAddr,
  ),
  kitex: one({ metadata }),
  hertz: one({ metadata: fc.dictionary(fc.oneof(text, html), text, { maxKeys: 1 }) }),
  'go-micro': one({ ...micro() }),
  'go-micro-v4': one({ ...micro() }),
  goframe: several(one({ version: fc.oneof(none, segment), addr: ipv4, metadata }), ipv4),
  rpcx: one({ metadata }),
  skydns: one({ service: labels, id: segment, metadata: fc.oneof(noMetadata, fc.record({ text })) }),
  jupiter: one({ service: segment.map((name) => name.replaceAll(':', '_')), weight: float, metadata }),
  ego: one({ addr: tcpAddr, weight: float, metadata }),
  'go-kit': one({ weight: noWeight }),
}

function micro(): Parts {
  return { service: slashes, version: segment, id: slashes, weight: noWeight, metadata }
}
