import { describe, expect, it } from 'vitest'
import { endpointId } from '../../../src/domain/endpoint.js'
import { registered, toGrpcEndpoints } from '../../../src/grpc/endpoint.js'
import { endpoint } from '../../support/endpoints.js'

const weights = (...args: Parameters<typeof toGrpcEndpoints>) =>
  toGrpcEndpoints(...args).map(({ weight }) => weight)

describe('toGrpcEndpoints', () => {
  it.each([
    ['127.0.0.1:1001', { host: '127.0.0.1', port: 1001 }],
    ['localhost:80', { host: 'localhost', port: 80 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['unix:/var/run/x.sock', { path: '/var/run/x.sock' }],
  ])('gives %s as grpc-js dials it, with its registration', (addr, address) => {
    const registration = endpoint({ addr, weight: 3 })
    expect(toGrpcEndpoints([registration], null)).toEqual([
      { addresses: [address], id: endpointId(registration), registration, weight: 3 },
    ])
  })

  it('leaves out what cannot be dialled', () => {
    const unreadable = endpoint({ problem: 'value is not JSON' })
    const noPort = endpoint({ addr: 'x' })
    expect(toGrpcEndpoints([unreadable, noPort], null)).toEqual([])
  })

  it('keeps a drained endpoint, with weight 0', () => {
    expect(weights([endpoint({ weight: 0 }), endpoint({ weight: 2 })], null)).toEqual([0, 2])
  })

  it('gives all the same where nobody set a weight', () => {
    expect(weights([endpoint({ weight: 0 }), endpoint({ weight: 0 })], null)).toEqual([1, 1])
  })

  it('takes one version, but asks the whole service whether weights are set', () => {
    const drained = endpoint({ version: '1', weight: 0 })
    const other = endpoint({ version: '2', weight: 5 })
    expect(weights([drained, other], '1')).toEqual([0])
    expect(weights([drained, { ...other, weight: 0 }], '1')).toEqual([1])
    expect(toGrpcEndpoints([drained, other], '3')).toEqual([])
  })
})

describe('registered', () => {
  it('leaves an endpoint of our resolver as it is', () => {
    const [own] = toGrpcEndpoints([endpoint({ weight: 7 })], null)
    expect(own && registered(own)).toBe(own)
  })

  it('weighs an endpoint of another resolver 1, and knows it by its addresses', () => {
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
