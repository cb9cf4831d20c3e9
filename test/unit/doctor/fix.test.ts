import { describe, expect, it } from 'vitest'
import type { ServiceFacts } from '../../../src/doctor/facts.js'
import { findingsBy } from '../../../src/doctor/finding.js'
import { removalsOf } from '../../../src/doctor/fix.js'
import { SERVICE_RULES } from '../../../src/doctor/rules/index.js'
import { checked, facts } from '../../support/doctor-facts.js'
import { endpoint } from '../../support/endpoints.js'

const dead = (port: number, weight = 1) => endpoint({ addr: `10.0.0.1:${port}`, lease: null, weight })
const alive = (weight: number) => endpoint({ addr: '10.0.0.2:1', weight })
const health = {
  '10.0.0.1:1': checked('refused'),
  '10.0.0.1:2': checked('refused'),
  '10.0.0.2:1': checked(null),
}

const removed = (of: ServiceFacts) =>
  removalsOf(findingsBy(SERVICE_RULES, of, 'hello'), [of]).map(
    ({ endpoints: [{ addr }], keeper, findings }) => [
      addr,
      keeper?.addr ?? null,
      findings.map(({ code }) => code).join(' '),
    ],
  )

describe('the keys that --fix removes', () => {
  it('include each leftover once if another endpoint has a weight', () => {
    expect(removed(facts([dead(1), dead(2), alive(3)], { health }))).toEqual([
      ['10.0.0.1:1', '10.0.0.2:1', 'D001 D002'],
      ['10.0.0.1:2', '10.0.0.2:1', 'D001 D002'],
    ])
  })

  it('include no leftovers that together hold the last weights beside a drained endpoint', () => {
    expect(removed(facts([dead(1), dead(2), alive(0)], { health }))).toEqual([])
    // Without a weight, a leftover may go.
    expect(removed(facts([dead(1), dead(2, 0), alive(0)], { health }))).toEqual([
      ['10.0.0.1:2', null, 'D001 D002'],
    ])
  })

  it('include all keys of a service that has only leftovers', () => {
    expect(removed(facts([dead(1), dead(2)], { health }))).toEqual([
      ['10.0.0.1:1', null, 'D001 D002'],
      ['10.0.0.1:2', null, 'D001 D002'],
    ])
  })

  it('include the key without a lease of an address with two keys, if the other key has a weight', () => {
    const leased = endpoint({ addr: '10.0.0.2:1', key: '/hello/2.0.0/10.0.0.2:1' })
    const leftover = endpoint({ addr: '10.0.0.2:1', lease: null })
    expect(removed(facts([leftover, leased], { health }))).toEqual([['10.0.0.2:1', '10.0.0.2:1', 'D006']])
    expect(removed(facts([leftover, { ...leased, weight: 0 }], { health }))).toEqual([])
  })
})
