import fc from 'fast-check'
import type { EndpointRecord } from '../../src/domain/endpoint.js'

export const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
export const html = fc.constantFrom(
  '<b>',
  'a&b',
  'x>y',
  '\u2028',
  '"quoted"',
  'back\\slash',
  'grün',
  '日本',
  '🚀',
)

/** A name that the seed layout can write: any text without slashes and control characters. */
export const segment: fc.Arbitrary<string> = fc
  .oneof(
    fc.domain(),
    text,
    fc.tuple(text, html).map((parts) => parts.join('')),
  )
  .map((name) => name.replace(/[/\u0000-\u001f\u007f-\u009f]/g, '_'))

const port = fc.integer({ min: 1, max: 65_535 })
const unixPath = fc.array(
  text.map((part) => part.replaceAll('\0', '_')),
  { minLength: 1, maxLength: 4 },
)

/** host:port and [ipv6]:port. */
export const tcpAddr: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(fc.oneof(fc.ipV4(), fc.domain()), port).map(([host, number]) => `${host}:${number}`),
  fc.tuple(fc.ipV6(), port).map(([host, number]) => `[${host}]:${number}`),
)

/** host:port, [ipv6]:port, and socket paths with slashes. */
export const addr: fc.Arbitrary<string> = fc.oneof(
  tcpAddr,
  unixPath.map((parts) => `unix:/${parts.join('/')}`),
)

const metadata = fc.dictionary(fc.oneof(text, html), fc.oneof(text, html), { maxKeys: 3 })

/** Any registration that the seed layout can write. */
export const registered: fc.Arbitrary<EndpointRecord> = fc
  .record({
    service: segment,
    version: fc.oneof(fc.constant(''), segment),
    addr,
    metadata,
    weight: fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 2 ** 31 - 1 })),
    id: fc.option(fc.oneof(text, html, fc.constant('')), { nil: undefined }),
  })
  .map(({ id, ...rest }) => (id === undefined ? rest : { ...rest, id }))
