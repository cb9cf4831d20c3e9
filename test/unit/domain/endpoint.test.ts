import { expect, it } from 'vitest'
import { endpointId, leaseDecimal, leaseIdOf } from '../../../src/domain/endpoint.js'

it('prints a lease as etcdctl does, also beyond the safe integers', () => {
  for (const [decimal, id] of [
    ['7587874396125858823', '694d8b8f9d5d0c07'],
    ['9007199254740993', '0020000000000001'],
    // etcd takes any 64-bit integer that a client chooses.
    ['-2', 'fffffffffffffffe'],
  ] as const) {
    expect(leaseIdOf(decimal)).toBe(id)
    expect(leaseDecimal(id)).toBe(decimal)
  }
})

it('distinguishes endpoints by key and address together', () => {
  const ids = [
    endpointId({ key: '/a', addr: 'b' }),
    endpointId({ key: '/a', addr: 'c' }),
    endpointId({ key: '/b', addr: 'b' }),
    endpointId({ key: '/ab', addr: '' }),
  ]
  expect(new Set(ids).size).toBe(4)
  expect(endpointId({ key: '/a', addr: 'b' })).toBe(ids[0])
})
