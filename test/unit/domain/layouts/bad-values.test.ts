import { describe, expect, it } from 'vitest'
import { layoutNamed } from '../../../../src/domain/layouts/index.js'

/** What a layout makes of a key and a value, in one line. */
function verdict(layout: string, key: string, value: string): string {
  const decoded = layoutNamed(layout).decode(key, Buffer.from(value))
  if (decoded.kind === 'not-an-endpoint') return `none: ${decoded.purpose}`
  if (decoded.kind === 'unusable') {
    const { service, version, addr, problem } = decoded
    return `${[service, version, addr].filter((part) => part !== '').join(' ')}: ${problem.text}`
  }
  return decoded.records.map(({ addr, problem }) => `${addr} ${problem?.text ?? 'dialled'}`).join(', ')
}

const KRATOS = '/microservices/hi/1'
const KITEX = 'kitex/registry-etcd/hi/1.2.3.4:1'
const MICRO = '/micro/registry/hi/1'
const FRAME = '/service/default/default/hi/latest/1.2.3.4:1'
const PANDA = '/lb_root/hi/v1/n'
const JUPITER = 'grpc:hi:v1:dev/1.2.3.4:1'
const EGO = '/ego/hi/providers/grpc://1.2.3.4:1'
const APP = '/services/hi/1.2.3.4:1'
const SKY = '/skydns/local/hi/x'
const RPCX = '/rpcx_test/Hi/tcp@1.2.3.4:1'

const cases: readonly (readonly [layout: string, key: string, value: unknown, verdict: string])[] = [
  [
    'etcd',
    'hi/1.2.3.4:1',
    { Op: 'Remove', Addr: '1.2.3.4:1' },
    "hi 1.2.3.4:1: Op is not a number: etcd's clients skip it",
  ],
  ['etcd', 'hi/1.2.3.4:1', { Op: 1, Addr: '1.2.3.4:1' }, 'hi 1.2.3.4:1: Op 1 does not add an endpoint'],
  ['etcd', 'hi/x', { Op: 0, Addr: '' }, 'hi x: Addr is empty'],
  ['etcd', 'hi', { Op: 0, Addr: '1.2.3.4:1' }, 'hi: key has no target'],
  [
    'panshiqu',
    'discovery/dev/hi/1.2.3.4:1',
    { Addr: '1.2.3.4:1', Metadata: 1 },
    'hi 1.2.3.4:1: Metadata is not a string',
  ],
  [
    'panshiqu',
    'discovery/dev/hi/1.2.3.4:1',
    { Addr: '1.2.3.4:2', Metadata: '1' },
    'hi 1.2.3.4:1: value names discovery/dev/hi/1.2.3.4:2',
  ],
  [
    'pandaychen',
    PANDA,
    { AddrInfo: 'a:1', Metadata: { weight: 1 } },
    'hi v1 n: Metadata is not a map of strings',
  ],
  ['pandaychen', '/lb_root/hi', { AddrInfo: 'a:1' }, 'hi: key is not {service}/{version}/{node}'],
  ['go-zero', 'hi.rpc/1', 'nowhere', 'hi.rpc 1: value has no port'],
  ['go-zero', 'hi.rpc/x', '1.2.3.4:1', 'hi.rpc x: key does not end in an id'],
  ['kratos', KRATOS, { id: '1', name: 'hi', endpoints: [] }, 'hi 1: endpoints is empty'],
  ['kratos', KRATOS, { id: '1', name: 'hi', endpoints: [1] }, 'hi 1: endpoints is not a list of strings'],
  ['kratos', KRATOS, { id: '1', name: 'hi', endpoints: ['1.2.3.4:1'] }, '1.2.3.4:1 is not a URL'],
  [
    'kratos',
    KRATOS,
    { id: '1', name: 'ho', endpoints: ['grpc://a:1'] },
    'hi 1: value names /microservices/ho/1',
  ],
  [
    'kratos',
    KRATOS,
    { id: '1', name: 'hi', metadata: { weight: '-1' }, endpoints: ['grpc://a:1'] },
    'hi 1: weight "-1" is not an integer from 0 to 2^53',
  ],
  [
    'kitex',
    KITEX,
    { network: 'tcp', address: '1.2.3.4:1', weight: 1.5 },
    'hi 1.2.3.4:1: weight 1.5 is not an integer',
  ],
  ['kitex', KITEX, { network: 'unix', address: '1.2.3.4:1', weight: 1 }, '1.2.3.4:1 network is unix'],
  [
    'kitex',
    KITEX,
    { network: 'tcp', address: '1.2.3.4:1', tags: { a: 1 } },
    'hi 1.2.3.4:1: tags is not a map of strings',
  ],
  [
    'kitex',
    'kitex/registry-etcd/hi/nowhere',
    { network: 'tcp', address: 'nowhere' },
    'nowhere address has no port',
  ],
  ['go-micro', MICRO, { name: 'hi', nodes: [] }, 'hi 1: nodes is empty'],
  ['go-micro', MICRO, { name: 'hi', nodes: [null] }, 'hi 1: node is not a JSON object'],
  [
    'go-micro',
    MICRO,
    { name: 'hi', nodes: [{ id: '1', address: 'a:1', metadata: { protocol: 'mucp' } }] },
    'a:1 speaks mucp, not gRPC',
  ],
  ['goframe', FRAME, '', 'hi 1.2.3.4:1: value is not JSON'],
  ['goframe', FRAME, [], 'hi 1.2.3.4:1: value is not a JSON object'],
  ['goframe', FRAME, { weight: 1e300 }, 'hi 1.2.3.4:1: weight 1e+300 is above 2^53'],
  ['goframe', FRAME, null, '1.2.3.4:1 dialled'],
  [
    'goframe',
    '/service/default/default/hi/1.2.3.4:1',
    {},
    'hi 1.2.3.4:1: key is not {name}/{version}/{addresses}',
  ],
  ['dubbo-go-interface', '/dubbo/hi/providers/tri%3A%2F%2F1.2.3.4%3A1%2Fhi', '', '1.2.3.4:1 dialled'],
  [
    'dubbo-go-interface',
    '/dubbo/hi/providers/%zz',
    '',
    'hi providers/%zz: key does not end in an escaped URL',
  ],
  ['dubbo-go-interface', '/dubbo/hi/providers/x', '', 'hi providers/x: key does not end in a URL'],
  ['dubbo-go-interface', '/dubbo/hi/consumers/x', '', 'none: one of the consumers'],
  [
    'dubbo-go-app',
    APP,
    { ServiceName: 'hi', Host: '1.2.3.4', Port: 1, Enable: false },
    '1.2.3.4:1 is not enabled',
  ],
  [
    'dubbo-go-app',
    APP,
    { ServiceName: 'hi', Host: '1.2.3.4', Port: 1, Healthy: false },
    '1.2.3.4:1 is marked unhealthy',
  ],
  [
    'dubbo-go-app',
    APP,
    {
      ServiceName: 'hi',
      Host: '1.2.3.4',
      Port: 1,
      Metadata: { 'dubbo.endpoints': '[{"port":1,"protocol":"dubbo"}]' },
    },
    '1.2.3.4:1 speaks dubbo, not gRPC',
  ],
  [
    'dubbo-go-app',
    APP,
    {
      ServiceName: 'hi',
      Host: '1.2.3.4',
      Port: 1,
      Metadata: { 'dubbo.endpoints': '[{"port":1,"protocol":"tri"}]' },
    },
    '1.2.3.4:1 dialled',
  ],
  [
    'dubbo-go-app',
    APP,
    { ServiceName: 'hi', Host: '1.2.3.4', Port: '1' },
    'hi 1.2.3.4:1: Port is not a number',
  ],
  ['rpcx', RPCX, 'state=inactive', '1.2.3.4:1 is inactive'],
  ['rpcx', RPCX, 'weight=-1', 'Hi tcp@1.2.3.4:1: weight "-1" is not an integer from 0 to 2^53'],
  ['rpcx', RPCX, 'group=%zz', 'Hi tcp@1.2.3.4:1: value is not a query string'],
  ['rpcx', '/rpcx_test/Hi/quic@1.2.3.4:1', '', '1.2.3.4:1 network is quic'],
  ['rpcx', '/rpcx_test/Hi/1.2.3.4:1', '', 'Hi 1.2.3.4:1: key does not end in {network}@{addr}'],
  ['skydns', SKY, { host: '1.2.3.4' }, '1.2.3.4 has no port'],
  ['skydns', SKY, { text: 'v=spf1' }, 'none: a record without a host'],
  ['skydns', SKY, { host: 'a', port: 1.5 }, 'hi.local x: port 1.5 is not an integer >= 0'],
  ['skydns', '/skydns/local', { host: 'a', port: 1 }, 'local: key is not {labels}/{id}'],
  [
    'jupiter',
    JUPITER,
    { Op: 0, Addr: '1.2.3.4:1', MetadataX: { name: 'hi', scheme: 'http' } },
    '1.2.3.4:1 speaks http, not gRPC',
  ],
  [
    'jupiter',
    JUPITER,
    { Op: 0, Addr: '1.2.3.4:1', MetadataX: { name: 'hi', scheme: 'grpc', enable: false } },
    '1.2.3.4:1 is not enabled',
  ],
  [
    'jupiter',
    JUPITER,
    { Op: 0, Addr: '1.2.3.4:1', MetadataX: { name: 'hi', scheme: 'grpc', weight: -0.5 } },
    'hi 1.2.3.4:1: weight -0.5 is not a number >= 0',
  ],
  ['jupiter', JUPITER, { Op: 0, Addr: '1.2.3.4:1' }, 'hi 1.2.3.4:1: MetadataX is not a JSON object'],
  ['ego', EGO, { name: 'hi', scheme: 'grpc', address: '' }, 'hi 1.2.3.4:1: address is empty'],
  [
    'ego',
    EGO,
    { name: 'ho', scheme: 'grpc', address: '1.2.3.4:1' },
    'hi 1.2.3.4:1: value names /ego/ho/providers/grpc://1.2.3.4:1',
  ],
  ['ego', '/ego/hi/configurators/grpc://1.2.3.4:1', {}, 'none: one of the configurators of hi'],
  ['go-kit', '/services/hi/1.2.3.4:1', 'http://1.2.3.4:1/x', '1.2.3.4:1 speaks http, not gRPC'],
  ['go-kit', '/services/hi/1.2.3.4:1', '1.2.3.4:2', 'hi 1.2.3.4:1: value names /services/hi/1.2.3.4:2'],
  ['traefik', 'traefik/http/x', 'anything', 'none: configuration'],
]

describe('an invalid value has a reason', () => {
  it.each(cases)('%s %s %j: %s', (layout, key, value, expected) => {
    expect(verdict(layout, key, typeof value === 'string' ? value : JSON.stringify(value))).toBe(expected)
  })

  it.each([
    'etcd',
    'panshiqu',
    'pandaychen',
    'kratos',
    'kitex',
    'hertz',
    'go-micro',
    'jupiter',
    'ego',
    'skydns',
  ])('%s: a value that is not JSON, or not an object', (layout) => {
    const key = `${layoutNamed(layout).prefix()}a/providers/c:1`
    expect(verdict(layout, key, '{"a":')).toMatch(/: value is not JSON$/)
    expect(verdict(layout, key, '[1]')).toMatch(/: value is not a JSON object$/)
  })

  it('control characters in a name or an address are a reason in every layout', () => {
    const value = '{"id":"1","name":"a\\u001b","endpoints":["grpc://a:1"]}'
    expect(verdict('kratos', '/microservices/a\u001b/1', value)).toContain('name has control characters')
    expect(verdict('go-zero', 'a/1', 'unix:/\u0007')).toContain('addr has control characters')
  })
})

describe('a layout selected by name', () => {
  it('uses its own base, or a given one', () => {
    expect(layoutNamed('kratos').prefix('hi')).toBe('/microservices/hi/')
    expect(layoutNamed('kratos=/mine/').prefix('hi')).toBe('/mine/hi/')
    expect(layoutNamed('kitex=/').prefix('hi')).toBe('/hi/')
    expect(layoutNamed('etcd=/').prefix('a/b')).toBe('/a/b/')
    expect(layoutNamed('jupiter=http').prefix('hi')).toBe('http:hi:v1:')
    expect(layoutNamed('skydns=/dns').prefix('a.b.c')).toBe('/dns/c/b/a/')
    expect(layoutNamed('go-micro').prefix('a/b')).toBe('/micro/registry/a-b/')
  })

  it.each([
    ['', 'Unknown layout ""'],
    ['Kratos', 'Unknown layout "Kratos"'],
    ['seed=/x', 'no prefix of its own'],
  ])('%j is refused', (name, message) => {
    expect(() => layoutNamed(name)).toThrow(message)
  })
})
