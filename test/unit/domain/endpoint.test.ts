import { expect, it } from 'vitest'
import { endpointId, leaseHex } from '../../../src/domain/endpoint.js'

it('prints a lease as etcdctl does, beyond what a number holds', () => {
  expect(leaseHex('7587874396125858823')).toBe('694d8b8f9d5d0c07')
  expect(leaseHex('9007199254740993')).toBe('0020000000000001')
})

it('tells endpoints apart by key and address together', () => {
  const ids = [
    ...[endpointId({ key: '/a', addr: 'b' }), endpointId({ key: '/a', addr: 'c' })],
    ...[endpointId({ key: '/b', addr: 'b' }), endpointId({ key: '/ab', addr: '' })],
  ]
  expect(new Set(ids).size).toBe(4)
  expect(endpointId({ key: '/a', addr: 'b' })).toBe(ids[0])
})
