import { expect, it } from 'vitest'
import { LeaseTimes } from '../../../../src/cli/registry-file/lease-times.js'
import type { LeaseId } from '../../../../src/domain/endpoint.js'

const lease = (number: number) => number.toString(16) as LeaseId

/** Leases from one number to before another. */
const leases = (from: number, to: number) =>
  new Set(Array.from({ length: to - from }, (_, at) => lease(from + at)))

/** A registry whose leases have ended from some number on, and the leases that it was asked for. */
function registryWith(ended: number) {
  const asked: LeaseId[] = []
  const ttls = async (wanted: Iterable<LeaseId>) => {
    const times = [...wanted].map((one) => [one, { ttlSeconds: 5, grantedTtlSeconds: 10 }] as const)
    asked.push(...wanted)
    return new Map(times.filter(([one]) => Number.parseInt(one, 16) < ended))
  }
  return { registry: { ttls }, asked }
}

it('queries each lease once, also one that has expired', async () => {
  const { registry, asked } = registryWith(3)
  const times = new LeaseTimes(registry, false)
  const known = await times.of(leases(0, 4))
  expect([...known.keys()]).toEqual([...leases(0, 3)])
  await times.of(leases(0, 6))
  expect(asked).toEqual([...leases(0, 6)])
  expect(times.wereLeftOut).toBe(false)
})

it('queries at most 1,000 leases, including expired ones, and reports that others were left out', async () => {
  const { registry, asked } = registryWith(10)
  const times = new LeaseTimes(registry, false)
  await times.of(leases(0, 600))
  await times.of(leases(600, 1_000))
  expect(times.wereLeftOut).toBe(false)
  await times.of(leases(900, 1_100))
  await times.of(leases(1_100, 1_101))
  expect(asked).toEqual([...leases(0, 1_000)])
  expect(times.wereLeftOut).toBe(true)
  expect(times.remark).toBe(
    'The granted TTLs beyond the first 1,000 leases are left out; --ttl asks for them',
  )
})

it('queries all leases with --ttl', async () => {
  const { registry, asked } = registryWith(2_000)
  const times = new LeaseTimes(registry, true)
  await times.of(leases(0, 1_500))
  expect(asked).toHaveLength(1_500)
  expect(times.wereLeftOut).toBe(false)
})
