import { status } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { TargetTraffic } from '../../../../src/cli/proxy/traffic.js'
import { seeded } from '../../../../src/domain/rng.js'
import type { RegisteredEndpoint } from '../../../../src/grpc/resolver/endpoint.js'
import type { CallEnd } from '../../../../src/proxy/call.js'
import { endpoint } from '../../../support/endpoints.js'

const A = registered('10.0.0.1:1')
const B = registered('10.0.0.2:1')

describe('the traffic to a target', () => {
  it('is judged by the shares at the time of each pick', () => {
    const traffic = started(A, B)
    pick(traffic, A, 20)
    pick(traffic, B, 20)
    traffic.observer.rotated([{ endpoint: A, weight: 3, isAway: false }])
    pick(traffic, A, 30)
    pick(traffic, B, 10)
    expect(traffic.calls).toBe(80)
    expect(traffic.tallies.get(A.id)).toMatchObject({ picks: 50, expected: 50 })
    expect(traffic.tallies.get(B.id)).toMatchObject({ picks: 30, expected: 30 })
  })

  it('is judged by the ratio of several registries, also while one of them has fewer endpoints', () => {
    const C = registered('10.0.0.3:1')
    const traffic = started()
    const rotated = (...changes: [RegisteredEndpoint, weight: number, shareWeight: number][]) =>
      traffic.observer.rotated(
        changes.map(([endpoint, weight, shareWeight]) => ({ endpoint, weight, shareWeight, isAway: false })),
      )
    // A and B of one registry with 80 of 100, C of the other: their own weights say nothing about the ratio.
    rotated([A, 1, 40], [B, 1, 40], [C, 7, 20])
    pick(traffic, A, 40)
    pick(traffic, B, 40)
    pick(traffic, C, 20)
    traffic.observer.rotated([{ endpoint: B, weight: 0, isAway: true }])
    rotated([A, 1, 80])
    pick(traffic, A, 80)
    pick(traffic, C, 20)
    expect(traffic.tallies.get(A.id)).toMatchObject({ picks: 120, expected: 120 })
    expect(traffic.tallies.get(B.id)).toMatchObject({ picks: 40, expected: 40 })
    expect(traffic.tallies.get(C.id)).toMatchObject({ picks: 40, expected: 40 })
    expect(traffic.verdict().result).toBe('pass')
  })

  it('fails if the picks ignore the weights', () => {
    const traffic = started(A, B)
    traffic.observer.rotated([{ endpoint: A, weight: 9, isAway: false }])
    for (let round = 0; round < 100; round++) {
      pick(traffic, A, 1)
      pick(traffic, B, 1)
    }
    expect(traffic.verdict()).toMatchObject({ result: 'fail', alternative: 'equal split' })
  })

  it('expects no calls to an endpoint that is not READY, and does not count its return as a join', () => {
    const traffic = started(A, B)
    pick(traffic, A, 10)
    pick(traffic, B, 10)
    traffic.observer.rotated([{ endpoint: A, weight: 0, isAway: true }])
    pick(traffic, B, 50)
    traffic.observer.rotated([{ endpoint: A, weight: 1, isAway: false }])
    pick(traffic, A, 10)
    pick(traffic, B, 10)
    expect(traffic.tallies.get(A.id)).toMatchObject({ picks: 20, expected: 20 })
    expect(traffic.verdict().gap).toBe(0)
  })

  it('uses bounded memory while endpoints come and go, and shows when counting began', () => {
    let now = 0
    const traffic = new TargetTraffic(
      'exact',
      () => new Date(now++),
      () => seeded(1),
    )
    traffic.observer.rotated([{ endpoint: A, weight: 1, isAway: false }])
    for (let port = 1; port <= 5_000; port++) {
      const one = registered(`10.0.1.1:${port}`)
      traffic.observer.rotated([{ endpoint: one, weight: 1, isAway: false }])
      pick(traffic, A, 1)
      pick(traffic, one, 1)
      traffic.ended(ended(one, status.UNAVAILABLE))
      traffic.observer.rotated([{ endpoint: one, weight: 0, isAway: false }])
    }
    expect(traffic.tallies.size).toBeLessThanOrEqual(203)
    expect(traffic.since.getTime()).toBeGreaterThan(10)
    expect(traffic.verdict().result).not.toBe('fail')
  })

  it('counts failed calls by endpoint and status', () => {
    const traffic = started(A, B)
    for (const code of [status.OK, status.UNAVAILABLE, status.UNAVAILABLE, status.INTERNAL]) {
      traffic.ended(ended(A, code))
    }
    expect(traffic.failuresOf(A.id)).toEqual({ UNAVAILABLE: 2, INTERNAL: 1 })
    expect(traffic.failuresOf(B.id)).toEqual({})
    expect(traffic.latency.n).toBe(4)
  })

  it('counts a call that the endpoint cancelled against the endpoint, but not one that the caller or the proxy ended', () => {
    const traffic = started(A)
    traffic.ended({ ...ended(A, status.CANCELLED), endedBy: 'caller' })
    expect(traffic.failuresOf(A.id)).toEqual({})
    traffic.ended({ ...ended(A, status.UNAVAILABLE), endedBy: 'proxy' })
    expect(traffic.failuresOf(A.id)).toEqual({})
    traffic.ended(ended(A, status.CANCELLED))
    expect(traffic.failuresOf(A.id)).toEqual({ CANCELLED: 1 })
  })
})

function started(...endpoints: RegisteredEndpoint[]): TargetTraffic {
  const traffic = new TargetTraffic(
    'exact',
    () => new Date(0),
    () => seeded(1),
  )
  traffic.observer.rotated(endpoints.map((one) => ({ endpoint: one, weight: 1, isAway: false })))
  return traffic
}

function pick({ observer }: TargetTraffic, one: RegisteredEndpoint, times: number): void {
  for (let time = 0; time < times; time++) observer.picked(one, 0)
}

function registered(addr: string): RegisteredEndpoint {
  const registration = endpoint({ addr })
  return { id: addr, registration, weight: 1, addresses: [] } as unknown as RegisteredEndpoint
}

function ended(one: RegisteredEndpoint, code: status): CallEnd {
  return { upstream: { endpoint: one }, code, endedBy: 'endpoint', tookMs: 1 } as unknown as CallEnd
}
