import { describe, expect, it } from 'vitest'
import { detect } from '../../../../src/domain/layouts/detect.js'
import { layoutNamed } from '../../../../src/domain/layouts/index.js'

const KRATOS = '/microservices/hi/1'
const KITEX = 'kitex/registry-etcd/hi/1.2.3.4:1'
const HERTZ = 'hertz/registry-etcd/hi/1.2.3.4:1'
const FRAME = '/service/default/default/hi/latest/1.2.3.4:1'
const PANDA = '/lb_root/hi/v1/n'
const RPCX = '/rpcx_test/Hi/tcp@1.2.3.4:1'
const DUBBO = `/dubbo/hi/providers/${encodeURIComponent('tri://1.2.3.4:1/hi?weight=')}`

function kratosWith(weight: unknown): object {
  return { id: '1', name: 'hi', version: '', metadata: { weight }, endpoints: ['grpc://a:1'] }
}

function read(layout: string, key: string, value: unknown) {
  const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  const decoded = layoutNamed(layout).decode(key, bytes)
  if (decoded.kind !== 'endpoints') throw new Error(JSON.stringify(decoded))
  return decoded.records[0]
}

/** What each framework's own reader takes for the weight; the sources stand in the layouts' docstrings. */
describe('an unusual weight that the original reader accepts', () => {
  it.each([
    ['kratos', KRATOS, kratosWith('10.5'), 100],
    ['kratos', KRATOS, kratosWith(''), 100],
    ['kratos', KRATOS, kratosWith('heavy'), 100],
    ['kratos', KRATOS, kratosWith('+7'), 7],
    ['kratos', KRATOS, kratosWith('007'), 7],
    ['kratos', KRATOS, kratosWith(null), 100],
    ['pandaychen', PANDA, { AddrInfo: 'a:1', Metadata: { weight: 'x' } }, 1],
    ['pandaychen', PANDA, { AddrInfo: 'a:1', Metadata: { weight: '-3' } }, 1],
    ['kitex', KITEX, { network: 'tcp', address: '1.2.3.4:1', weight: -1 }, 10],
    ['kitex', KITEX, { network: 'tcp', address: '1.2.3.4:1', weight: null }, 0],
    ['hertz', HERTZ, { network: 'tcp', address: '1.2.3.4:1', weight: -1 }, 10],
    ['goframe', FRAME, { weight: 10.5 }, 10],
    ['goframe', FRAME, { weight: '10.5' }, 10],
    ['goframe', FRAME, { weight: '0x10' }, 16],
    ['goframe', FRAME, { weight: true }, 1],
    ['goframe', FRAME, { weight: 'heavy' }, 0],
    ['goframe', FRAME, { weight: -2 }, 0],
    ['goframe', FRAME, { weight: null }, 0],
    ['rpcx', RPCX, 'weight=', 1],
    ['rpcx', RPCX, 'weight=1.5', 1],
    ['dubbo-go-interface', `${DUBBO}x`, '', 100],
    ['dubbo-go-interface', `${DUBBO}7`, '', 7],
  ])('%s %s %j: %d', (layout, key, value, weight) => {
    expect(read(layout, key, value).weight).toBe(weight)
  })
})

describe('values that encoding/json accepts', () => {
  it.each([
    ['seed', '/hello/a:1', '{"name":"hello","addr":"a:1","version":null,"weight":null,"metadata":null}'],
    ['seed', '/hello/a:1', '{"Name":"hello","ADDR":"a:1","Weight":3}'],
    ['kratos', KRATOS, '{"ID":"1","Name":"hi","Metadata":null,"Endpoints":["grpc://a:1"]}'],
    ['pandaychen', PANDA, '{"addrInfo":"a:1","METADATA":{"weight":"3","zone":null}}'],
  ])('%s reads %s with %s', (layout, key, value) => {
    expect(read(layout, key, value).addr).toBe('a:1')
  })

  it('reads null in a map of strings as an empty string', () => {
    expect(read('pandaychen', PANDA, '{"AddrInfo":"a:1","Metadata":{"zone":null}}').metadata).toEqual({
      zone: '',
    })
  })

  it('does not affect detection: Addr and addr distinguish layouts', () => {
    expect(detect('/hello/a:1', Buffer.from('{"Op":0,"Addr":"a:1"}'))?.layout.name).toBe('etcd')
    expect(detect('/hello/a:1', Buffer.from('{"name":"hello","addr":"a:1"}'))?.layout.name).toBe('seed')
  })

  it.each([
    [
      'seed',
      '/hello/a:1',
      '{"Name":"hello","addr":"a:1","WEIGHT":3}',
      '{"Name":"hello","addr":"a:1","WEIGHT":5}',
    ],
    [
      'kratos',
      KRATOS,
      '{"id":"1","name":"hi","Metadata":null}',
      '{"id":"1","name":"hi","Metadata":{"weight":"5"}}',
    ],
    [
      'pandaychen',
      PANDA,
      '{"AddrInfo":"a:1","metadata":{"Weight":"1"}}',
      '{"AddrInfo":"a:1","metadata":{"Weight":"1","weight":"5"}}',
    ],
  ])('%s changes the weight where its reader finds it: %s %s', (layout, _key, value, changed) => {
    const written = layoutNamed(layout).withWeight(Buffer.from(value), 5)
    expect(Buffer.from(written).toString()).toBe(changed)
  })
})
