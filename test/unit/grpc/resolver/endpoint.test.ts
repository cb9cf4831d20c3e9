import { describe, expect, it } from 'vitest'
import { type Endpoint, endpointId } from '../../../../src/domain/endpoint.js'
import { parseSelector } from '../../../../src/domain/selector.js'
import { registered } from '../../../../src/grpc/resolver/endpoint.js'
import { toGrpcEndpoints } from '../../../../src/grpc/resolver/selection.js'
import { endpoint, NOT_JSON } from '../../../support/endpoints.js'

const ALL = { where: {}, spillOver: false }

const weights = (service: readonly Endpoint[], target = ALL) =>
  toGrpcEndpoints(service, target).map(({ weight }) => weight)

describe('toGrpcEndpoints', () => {
  it.each([
    ['127.0.0.1:1001', { host: '127.0.0.1', port: 1001 }],
    ['localhost:80', { host: 'localhost', port: 80 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['unix:/var/run/x.sock', { path: '/var/run/x.sock' }],
  ])('gives %s as grpc-js dials it, with its registration', (addr, address) => {
    const registration = endpoint({ addr, weight: 3 })
    expect(toGrpcEndpoints([registration], ALL)).toEqual([
      { addresses: [address], id: endpointId(registration), registration, weight: 3 },
    ])
  })

  it('omits endpoints that cannot be dialled', () => {
    const unreadable = endpoint({ problem: NOT_JSON })
    const noPort = endpoint({ addr: 'x' })
    expect(toGrpcEndpoints([unreadable, noPort], ALL)).toEqual([])
  })

  it('keeps a drained endpoint, with weight 0', () => {
    expect(weights([endpoint({ weight: 0 }), endpoint({ weight: 2 })], ALL)).toEqual([0, 2])
  })

  it('gives equal weights if all weights are unset', () => {
    expect(weights([endpoint({ weight: 0 }), endpoint({ weight: 0 })], ALL)).toEqual([1, 1])
  })

  it('selects one version, but checks the whole service for unset weights', () => {
    const drained = endpoint({ version: '1', weight: 0 })
    const other = endpoint({ version: '2', weight: 5 })
    const version = (version: string) => ({ where: { version }, spillOver: false })
    expect(weights([drained, other], version('1'))).toEqual([0])
    expect(weights([drained, { ...other, weight: 0 }], version('1'))).toEqual([1])
    expect(toGrpcEndpoints([drained, other], version('3'))).toEqual([])
  })
})

describe('a selector', () => {
  const canary = endpoint({ addr: 'a:1', version: '2', id: 'c1', weight: 1, metadata: { zone: 'b' } })
  const stable = endpoint({ addr: 'a:2', version: '1', weight: 2, metadata: { zone: 'b', version: '9' } })
  const far = endpoint({ addr: 'a:3', version: '1', weight: 3, metadata: { zone: 'c' } })
  const service = [canary, stable, far]

  it.each([
    [{ version: '1' }, [2, 3]],
    [{ zone: 'b' }, [1, 2]],
    [{ zone: 'b', version: '1' }, [2]],
    [{ id: 'c1' }, [1]],
    [{ addr: 'a:3' }, [3]],
    [{ zone: 'x' }, []],
    [{ rack: '' }, [1, 2, 3]],
    [{ constructor: '' }, [1, 2, 3]],
  ])('%j selects the weights %j', (where, expected) => {
    expect(weights(service, { where, spillOver: false })).toEqual(expected)
  })

  it('applies its conditions together with the plain parameters', () => {
    const selecting = (text: string, where = {}) => ({
      where,
      select: parseSelector(text),
      spillOver: false,
    })
    expect(weights(service, selecting('weight>1'))).toEqual([2, 3])
    expect(weights(service, selecting('version!=2,zone in (a,b)'))).toEqual([2])
    expect(weights(service, selecting('weight>1', { zone: 'c' }))).toEqual([3])
  })

  it('with spill-over selects the whole service if no selected endpoint could receive a call', () => {
    const spilling = (where: Record<string, string>) => ({ where, spillOver: true })
    expect(weights(service, spilling({ zone: 'x' }))).toEqual([1, 2, 3])
    expect(weights(service, spilling({ zone: 'c' }))).toEqual([3])
    expect(weights([{ ...canary, weight: 0 }, stable], spilling({ version: '2' }))).toEqual([0, 2])
    const unreadable = { ...canary, problem: NOT_JSON }
    expect(weights([unreadable, stable], spilling({ version: '2' }))).toEqual([2])
  })
})

describe('registered', () => {
  it('returns an endpoint of our resolver unchanged', () => {
    const [own] = toGrpcEndpoints([endpoint({ weight: 7 })], ALL)
    expect(own && registered(own)).toBe(own)
  })

  it('gives an endpoint of another resolver weight 1, and identifies it by its addresses', () => {
    const addresses = [
      { host: '10.0.0.1', port: 80 },
      { host: '::1', port: 80 },
    ]
    const made = registered({ addresses })
    expect(made).toMatchObject({
      addresses,
      weight: 1,
      registration: { addr: '10.0.0.1:80', layout: 'none' },
    })
    expect(made.id).toBe(registered({ addresses: [...addresses] }).id)
    expect(made.id).not.toBe(registered({ addresses: addresses.slice(0, 1) }).id)
  })
})
