import { describe, expect, it } from 'vitest'
import { detect, readValue } from '../../../../src/domain/layouts/detect.js'
import { DEFAULT_LAYOUT, LAYOUTS } from '../../../../src/domain/layouts/index.js'
import { readerOf } from '../../../../src/domain/layouts/reader.js'
import { rootBefore, rootPrefix, underRoot } from '../../../../src/domain/layouts/root.js'
import { ALL_EXAMPLES } from '../../../support/vectors.js'

const SEED = '{"name":"echo","addr":"127.0.0.1:1","version":"","weight":1}'
const KITEX = '{"network":"tcp","address":"127.0.0.1:1","weight":10,"tags":null}'

function layoutOf(key: string, value: string): string | null {
  return detect(key, Buffer.from(value))?.layout.name ?? null
}

describe('the layout of a key', () => {
  it.each([
    ['/echo/127.0.0.1:1', SEED, 'seed'],
    ['/echo/127.0.0.1:1', KITEX, 'kitex'],
    ['kitex/registry-etcd/echo/127.0.0.1:1', SEED, 'seed'],
    ['/kitex/registry-etcd/127.0.0.1:1', KITEX, 'kitex'],
    ['/services/echo/127.0.0.1:1', SEED, 'seed'],
    ['/services/echo/127.0.0.1:1', '127.0.0.1:1', 'go-kit'],
    ['/a/b/c/127.0.0.1:1', 'http://127.0.0.1:1', 'go-kit'],
    ['/user.rpc/123', '127.0.0.1:1', 'go-zero'],
    ['/echo/127.0.0.1:1', '{"Op":0,"Addr":"127.0.0.1:1","Metadata":null}', 'etcd'],
    ['discovery/prod/a/127.0.0.1:1', '{"Addr":"127.0.0.1:1","Metadata":"1"}', 'panshiqu'],
    ['elsewhere/a/127.0.0.1:1', '{"Addr":"127.0.0.1:1","Metadata":"1"}', 'etcd'],
    ['/my/base/Arith/tcp@127.0.0.1:1', '', 'rpcx'],
    ['/apisix/127.0.0.1:1', SEED, 'seed'],
    ['/mine/hello/1', '{"id":"1","name":"hello","endpoints":["grpc://a:1"]}', 'kratos'],
    ['/hello/127.0.0.1:1', 'no JSON', 'seed'],
    ['/microservices/hello/pod-1', 'no JSON', 'kratos'],
    ['foo/bar', 'no JSON', null],
    ['foo', SEED, 'seed'],
  ])('%s %s: %s', (key, value, layout) => {
    expect(layoutOf(key, value)).toBe(layout)
  })
})

describe('keys that auto reads', () => {
  const keyFilter = readerOf({ layout: 'auto' }).keyFilter()

  it('include every example', () => {
    expect(ALL_EXAMPLES.filter(({ key }) => !keyFilter?.(key))).toEqual([])
  })

  it.each([
    '/registry/pods/default/nginx-66b6c48dd5-x2x4v',
    '/registry/services/endpoints/default/kubernetes',
    '/registry/leases/kube-system/kube-scheduler',
    '/registry/clusterroles/system:controller:node-controller',
    '/calico/resources/v3/projectcalico.org/felixconfigurations/default',
    'compact_rev_key',
    '/vitess/global/cells/zone1/CellInfo',
  ])('not %s', (key) => {
    expect(keyFilter?.(key)).toBe(false)
  })

  it('include everything under the prefix of a named layout', () => {
    expect(readerOf({ layout: 'kratos' }).keyFilter()).toBeNull()
    expect(readerOf({ layout: 'kratos' }).prefix()).toBe('/microservices/')
    expect(readerOf({}).keyFilter('hello')).toBeNull()
    expect(readerOf({}).keyFilter()?.('/registry/pods/default/nginx')).toBe(false)
  })
})

describe('a root', () => {
  it.each([
    ['', '/hello/a:1', '/hello/a:1'],
    ['/prod', '/hello/a:1', '/prod/hello/a:1'],
    ['/prod/', '/hello/a:1', '/prod/hello/a:1'],
    ['/prod//', 'kitex/x/a:1', '/prod/kitex/x/a:1'],
    ['prod', '/hello/a:1', 'prod/hello/a:1'],
    ['/', 'user.rpc/1', '/user.rpc/1'],
    ['/a/b', 'grpc:x:v1:dev/a:1', '/a/b/grpc:x:v1:dev/a:1'],
  ])('%j and %s make %s', (root, key, joined) => {
    expect(underRoot(rootPrefix(root), key)).toBe(joined)
  })

  it.each([
    ['/prod/hello/1/a:1', '/hello/1/a:1', '/prod'],
    ['prod/kitex/x/a:1', 'kitex/x/a:1', 'prod'],
    ['/a/b/hello/a:1', '/hello/a:1', '/a/b'],
    ['/hello/a:1', '/hello/a:1', null],
    ['/hello/a:1', '/hello/a:2', null],
    ['/xhello/a:1', '/hello/a:1', null],
    ['/hello/a:1', '/a:1', '/hello'],
  ])('%s with a value that names %s would be right under %s', (key, belongsAt, root) => {
    expect(rootBefore(key, belongsAt)).toBe(root)
  })

  it('with control characters is refused', () => {
    expect(() => rootPrefix('/a\u001b')).toThrow('control characters')
    expect(() => rootPrefix('/a\u001b', '--root')).toThrow('from --root has control characters')
  })
})

describe('layouts that are tried for the same key', () => {
  it.each(ALL_EXAMPLES)('at most one layout of each kind claims $id $key', ({ key, value }) => {
    const claimed = LAYOUTS.filter((layout) => layout.claims(readValue(Buffer.from(value)), key))
    const kinds = claimed.map(({ claimedBy }) => claimedBy)
    expect(new Set(kinds).size, claimed.map(({ name }) => name).join(', ')).toBe(kinds.length)
  })

  it('no two layouts own the same base, and the default layout owns none', () => {
    const bases = LAYOUTS.filter(({ ownsBase }) => ownsBase).map((layout) => layout.prefix())
    for (const base of bases) expect(bases.filter((other) => other.startsWith(base))).toEqual([base])
    expect(DEFAULT_LAYOUT.ownsBase).toBe(false)
  })
})
