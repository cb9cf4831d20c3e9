import { describe, expect, it } from 'vitest'
import { detect } from '../../src/domain/layouts/detect.js'
import { LAYOUTS, layoutNamed } from '../../src/domain/layouts/index.js'
import { ALL_EXAMPLES, LAYOUT_VECTORS } from '../support/vectors.js'

/**
 * The expected endpoints of each example key, as `service version address weight id`, or the expected kind of a key
 * without endpoints.
 */
const READ_AS: Readonly<Record<string, string | readonly string[]>> = {
  '/hello/1.0.0/127.0.0.1:1001': ['hello 1.0.0 127.0.0.1:1001 1'],
  '/hello/1.0.0/127.0.0.1:1006': ['hello 1.0.0 127.0.0.1:1006 10'],
  '/base-hello/127.0.0.1:8083': ['base-hello - 127.0.0.1:8083 0'],
  '/user/1.0.0/localhost:8083': ['user 1.0.0 localhost:8083 3'],
  'foo/bar/my-service/e1': ['foo/bar/my-service - 1.2.3.4 0 e1 (address has no port)'],
  'xiaoxu/demo/localhost:8080': ['xiaoxu/demo - localhost:8080 0'],
  'svc/greet/127.0.0.1:23804': ['svc/greet - 127.0.0.1:23804 0'],
  'svc/greet/127.0.0.1:23805': ['svc/greet - 127.0.0.1:23805 0 {"weight":"5","zone":"a&b"}'],
  '___grpc_proxy_endpoint/127.0.0.1:23795': ['___grpc_proxy_endpoint - 127.0.0.1:23795 0'],
  'discovery/dev/game/127.0.0.1:40001': ['game - 127.0.0.1:40001 0 1'],
  'discovery/dev/game/127.0.0.1:40002': ['game - 127.0.0.1:40002 0 2'],
  '/lb_root/helloworld/v20190820/node-1': ['helloworld v20190820 127.0.0.1:11111 1 node-1 {"weight":"1"}'],
  '/lb_root/helloworld/v20190820/node-2': ['helloworld v20190820 127.0.0.1:11112 1 node-2'],
  'user.rpc/7587863065422271620': ['user.rpc - 127.0.0.1:8080 0 7587863065422271620'],
  'user.rpc/100': ['user.rpc - 10.0.0.7:8080 0 100'],
  '/microservices/helloworld/0b1f7d0c-c668-11f0-9d3e-0242ac120002': [
    'helloworld v1.0.0 10.0.0.5:8000 100 0b1f7d0c-c668-11f0-9d3e-0242ac120002 (speaks http, not gRPC)',
    'helloworld v1.0.0 10.0.0.5:9000 100 0b1f7d0c-c668-11f0-9d3e-0242ac120002',
  ],
  '/microservices/helloworld/pod-7': ['helloworld - 10.0.0.6:9000 20 pod-7 {"weight":"20","zone":"sh&bj"}'],
  'kitex/registry-etcd/echo/127.0.0.1:8888': ['echo - 127.0.0.1:8888 10'],
  'kitex/registry-etcd/echo/127.0.0.1:8889': ['echo - 127.0.0.1:8889 20 {"env":"prod","zone":"<a>"}'],
  '/echo/127.0.0.1:8890': ['echo - 127.0.0.1:8890 10'],
  'kitex/registry-etcd/echo/fd00::1:8888': ['echo - [fd00::1]:8888 10'],
  'hertz/registry-etcd/hertz.test.demo/127.0.0.1:8888': ['hertz.test.demo - 127.0.0.1:8888 10'],
  'hertz/registry-etcd/hertz.test.demo/[fd00::1]:8888': ['hertz.test.demo - [fd00::1]:8888 10 {"k":"<a&b>"}'],
  '/micro/registry/greeter/greeter-6f0c1b3e': [
    'greeter latest 127.0.0.1:51001 0 greeter-6f0c1b3e {"protocol":"grpc"}',
  ],
  '/micro/registry/go.micro-srv-x/n-1': ['go.micro/srv/x 1.0 127.0.0.1:51002 0 n-1'],
  '/micro/registry/greeter/n-2': ['greeter latest 127.0.0.1:51002 0 n-2'],
  '/service/default/default/demo/latest/127.0.0.1:8000': [
    'demo - 127.0.0.1:8000 0 {"insecure":"true","protocol":"http"} (speaks http, not gRPC)',
  ],
  '/service/default/default/demo/latest/10.0.0.5:9000,192.168.1.5:9000': [
    'demo - 10.0.0.5:9000 0 {"protocol":"grpc"}',
    'demo - 192.168.1.5:9000 0 {"protocol":"grpc"}',
  ],
  '/service/prod/pay/order/v1.2.0/10.0.0.9:9000': ['order v1.2.0 10.0.0.9:9000 0'],
  '/dubbo/com.example.Greeter/providers': 'a directory',
  '/dubbo': 'a directory',
  '/rpcx_test/Arith': 'a directory',
  '/rpcx_test': 'a directory',
  '/skydns/local/skydns/dns/apex/x1': ['apex.dns.skydns.local - 1.1.1.1 0 x1 (has no port)'],
  '/skydns/local/cluster/hello/e1': ['hello.cluster.local - 127.0.0.1:1001 20 e1'],
  'grpc:service_1:v1:unknown-mode/10.10.10.1:9091': ['service_1 - 10.10.10.1:9091 0'],
  'grpc:service_1:v1:dev/10.10.10.1:9092': ['service_1 - 10.10.10.1:9092 100'],
  '/ego/hello/providers/grpc://0.0.0.0:9002': ['hello - 0.0.0.0:9002 100 {"appMode":"dev"}'],
  '/ego/hello/providers/grpc://10.0.0.5:9002': ['hello - 10.0.0.5:9002 0.5 (is marked unhealthy)'],
  '/service/foobar/1.2.3.4:8080': ['foobar - 1.2.3.4:8080 0 (speaks http, not gRPC)'],
  '/services/foosvc/1.2.3.4:9000': ['foosvc - 1.2.3.4:9000 0'],
  'traefik/http/services/my-service/loadbalancer/servers/0/url': 'configuration',
  'traefik/http/services/my-service/loadbalancer/servers/1/url': 'configuration',
  '/apisix/upstreams/1': 'configuration',
  '/apisix/routes/1': 'configuration',
}

function described({ key, value }: { key: string; value: string }): string | readonly string[] {
  const found = detect(key, Buffer.from(value))
  if (found === null) return 'no layout claims it'
  const { decoded } = found
  if (decoded.kind === 'unusable') return `problem: ${decoded.problem.text}`
  if (decoded.kind === 'not-an-endpoint') return decoded.purpose
  return decoded.records.map(({ service, version, addr, weight, id, metadata, problem }) => {
    const metadataText = Object.keys(metadata).length === 0 ? '' : JSON.stringify(metadata)
    const why = problem ? `(${problem.text})` : ''
    return [service, version || '-', addr, weight, id ?? '', metadataText, why]
      .filter((part) => part !== '')
      .join(' ')
  })
}

it('every layout has vectors, and every set of vectors has a layout', () => {
  expect(LAYOUT_VECTORS.filter(({ examples }) => examples.length === 0)).toEqual([])
  expect(LAYOUTS.map(({ name }) => name).sort()).toEqual(LAYOUT_VECTORS.map(({ id }) => id).sort())
})

it.each(LAYOUT_VECTORS)('$id has the default TTL of its own writers', ({ id, default_ttl_s, examples }) => {
  const layout = layoutNamed(id)
  expect(layout.defaultTtlSeconds).toBe(default_ttl_s)
  if (!layout.wantsLease) expect(examples.every(({ lease }) => !lease)).toBe(true)
})

describe('the layout auto', () => {
  it.each(ALL_EXAMPLES)('recognizes $id from $key', ({ id, key, value }) => {
    expect(detect(key, Buffer.from(value))?.layout.name).toBe(id)
  })
})

describe('reading an example', () => {
  it.each(ALL_EXAMPLES.filter(({ key }) => key in READ_AS))(
    'of $id with the key $key gives the expected endpoints',
    ({ key, value }) => {
      expect(described({ key, value })).toEqual(READ_AS[key])
    },
  )

  it('is tested separately for five examples below', () => {
    const others = ALL_EXAMPLES.filter(({ key }) => !(key in READ_AS))
    expect(others.map(({ id }) => id).sort()).toEqual([
      'dubbo-go-app',
      'dubbo-go-app',
      'dubbo-go-interface',
      'rpcx',
      'rpcx',
    ])
  })

  it('of dubbo-go finds an interface in the key and an application in the value, and treats weight 0 as unset', () => {
    const [provider, first, second] = ALL_EXAMPLES.filter(
      ({ id, key }) => id.startsWith('dubbo-go') && key.includes('127'),
    ).map(described)
    expect(provider).toEqual([
      expect.stringMatching(/^com\.example\.Greeter 1\.0\.0 127\.0\.0\.1:20000 100 /),
    ])
    expect(provider?.[0]).toContain('(speaks dubbo, not gRPC)')
    expect(first?.[0]).toMatch(/^demo-app - 127\.0\.0\.1:20000 100 127\.0\.0\.1:20000 /)
    expect(second).toEqual(['demo-app - 127.0.0.1:20001 50 127.0.0.1:20001'])
  })

  it('of rpcx gives the same endpoint before and after an update of its metrics', () => {
    const [before, after] = ALL_EXAMPLES.filter(({ key }) => key.includes('tcp@')).map(described)
    expect(before).toEqual(['Arith - 127.0.0.1:8972 7 {"weight":"7","group":"test"}'])
    expect(after).toEqual([
      'Arith - 127.0.0.1:8972 7 {"calls":"0.00","connections":"0.00","group":"test","weight":"7"}',
    ])
  })
})

describe('writing an example', () => {
  const exact = LAYOUT_VECTORS.filter(({ exactness }) => exactness.startsWith('exact')).map(({ id }) => id)
  const endpoints = ALL_EXAMPLES.filter(
    ({ id, key }) => exact.includes(id) && Array.isArray(READ_AS[key] ?? []),
  )

  it('is tested on an endpoint of every exact layout', () => {
    const tried = new Set(endpoints.filter(({ key }) => READ_AS[key] !== 'a directory').map(({ id }) => id))
    const untried = exact.filter((id) => !tried.has(id) && !layoutNamed(id).isConfiguration)
    expect(untried).toEqual([])
  })

  it.each(endpoints)('of $id with the key $key gives the same bytes', ({ key, value }) => {
    const found = detect(key, Buffer.from(value))
    if (found?.decoded.kind !== 'endpoints') throw new Error('not read')
    const written = found.layout.encode(found.decoded.records, null)
    expect(written.key).toBe(key)
    expect(Buffer.from(written.value).toString()).toBe(value)
  })

  it.each(['dubbo-go-interface', 'dubbo-go-app', 'traefik', 'apisix'])(
    'of %s is refused with the reason',
    (id) => {
      const registered = { service: 'a', version: '', addr: 'a:1', weight: 0, metadata: {} }
      expect(() => layoutNamed(id).encode([registered], null)).toThrow(`The layout ${id} cannot be written: `)
    },
  )
})
