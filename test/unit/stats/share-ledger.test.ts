import { describe, expect, it } from 'vitest'
import { ShareLedger } from '../../../src/stats/share-ledger.js'
import { largestGap } from '../../support/gaps.js'

function ledgerOf(weights: Record<string, number>): ShareLedger {
  const ledger = new ShareLedger()
  rotate(ledger, weights)
  return ledger
}

function rotate(ledger: ShareLedger, weights: Record<string, number>): void {
  ledger.rotate(new Map(Object.entries(weights)))
}

function pick(ledger: ShareLedger, ids: string): void {
  for (const id of ids) ledger.pick(id)
}

describe('ShareLedger', () => {
  it('sums picks x share over epochs', () => {
    const ledger = ledgerOf({ a: 1, b: 3 })
    pick(ledger, 'abbb')
    rotate(ledger, { a: 1, b: 1 })
    pick(ledger, 'aabb')
    expect([...ledger.tallies()]).toEqual([
      ['a', { picks: 3, expected: 1 + 2, equal: 2 + 2 }],
      ['b', { picks: 5, expected: 3 + 2, equal: 2 + 2 }],
    ])
    expect(largestGap(ledger)).toBe(0)
  })

  it('lists endpoints that had expected picks but no picks', () => {
    const ledger = ledgerOf({ a: 1, b: 1 })
    pick(ledger, 'aa')
    expect(ledger.tallies().get('b')).toEqual({ picks: 0, expected: 1, equal: 1 })
    expect(largestGap(ledger)).toBe(1)
  })

  it('counts a pick of an endpoint out of rotation as unexpected', () => {
    const ledger = ledgerOf({ a: 1 })
    pick(ledger, 'ax')
    expect(ledger.tallies().get('x')).toEqual({ picks: 1, expected: 0, equal: 0 })
    expect(ledger.tallies().get('a')).toEqual({ picks: 1, expected: 2, equal: 2 })
  })

  it('lets a gap grow across weight changes', () => {
    const ledger = ledgerOf({ a: 1, b: 1 })
    pick(ledger, 'aa')
    rotate(ledger, { a: 1, b: 3 })
    pick(ledger, 'aaaa')
    expect(largestGap(ledger)).toBe(1 + 3)
  })

  it('restarts the gap when the membership changes, and keeps the largest gap', () => {
    const ledger = ledgerOf({ a: 1, b: 1 })
    pick(ledger, 'aaaa')
    rotate(ledger, { a: 1, b: 1, c: 2 })
    pick(ledger, 'bbcc')
    expect(largestGap(ledger)).toBe(2)
    rotate(ledger, { a: 1 })
    pick(ledger, 'a')
    expect(largestGap(ledger)).toBe(2)
  })

  it('detects a membership change if the number of members is the same', () => {
    const ledger = ledgerOf({ a: 1, b: 1 })
    pick(ledger, 'aa')
    rotate(ledger, { a: 1, c: 1 })
    pick(ledger, 'aa')
    expect(largestGap(ledger)).toBe(1)
  })

  it('measures the gap at every weight change, also if it evens out later', () => {
    const ledger = ledgerOf({ a: 1, b: 3 })
    pick(ledger, 'aaaabbbb')
    rotate(ledger, { a: 3, b: 1 })
    pick(ledger, 'aaaabbbb')
    expect(largestGap(ledger)).toBe(2)
    expect(ledger.tallies().get('a')).toEqual({ picks: 8, expected: 8, equal: 8 })
  })

  it('separates the gaps before and after the first pick that follows a leave', () => {
    const ledger = ledgerOf({ a: 1, b: 1, c: 1 })
    rotate(ledger, { a: 1, b: 1 })
    pick(ledger, 'a')
    expect(ledger.largestGaps()).toEqual({ beforeLeaves: 0.5, afterLeaves: 0, afterReconnects: 0 })
    rotate(ledger, { a: 1 })
    rotate(ledger, { a: 1, d: 1 })
    pick(ledger, 'aa')
    expect(ledger.largestGaps()).toEqual({ beforeLeaves: 0.5, afterLeaves: 1, afterReconnects: 0 })
  })

  it('keeps different shares apart as strata, and merges equal rotations', () => {
    const ledger = ledgerOf({ a: 1, b: 1 })
    pick(ledger, 'ab')
    rotate(ledger, { a: 2, b: 2 })
    ledger.pick('a', 4)
    rotate(ledger, { a: 1, b: 3 })
    rotate(ledger, { a: 1 })
    pick(ledger, 'a')
    expect(ledger.strata().map((stratum) => [...stratum.keys()].join(''))).toEqual(['ab', 'a'])
    expect(ledger.strata()[0]?.get('a')).toEqual({ picks: 5, expected: 3, equal: 3 })
    expect(ledger.longestMembership().get('a')).toEqual({ picks: 5, expected: 3, equal: 3 })
  })

  it('merges the smallest strata if there are many, and loses no pick', () => {
    const ledger = ledgerOf({ a: 1, b: 1 })
    for (let epoch = 1; epoch <= 50; epoch++) {
      ledger.pick('a', epoch === 20 ? 1_000 : 1)
      rotate(ledger, { a: 1, b: epoch + 1 })
    }
    const picks = ledger.strata().map((stratum) => stratum.get('a')?.picks ?? 0)
    expect(picks).toHaveLength(8)
    expect(picks.reduce((sum, count) => sum + count)).toBe(1_049)
    expect(Math.max(...picks)).toBeLessThan(1_010)
    expect(ledger.tallies().get('a')?.picks).toBe(1_049)
  })

  it('returns equal results when called again', () => {
    const ledger = ledgerOf({ a: 1, b: 1 })
    pick(ledger, 'a')
    expect(largestGap(ledger)).toBe(0.5)
    pick(ledger, 'b')
    expect(largestGap(ledger)).toBe(0)
    expect(ledger.tallies().get('a')).toEqual({ picks: 1, expected: 1, equal: 1 })
    expect(ledger.tallies().get('a')).toEqual({ picks: 1, expected: 1, equal: 1 })
  })

  it('is empty without a pick', () => {
    const ledger = ledgerOf({ a: 1 })
    expect(ledger.tallies().size).toBe(0)
    expect(largestGap(ledger)).toBe(0)
  })
})
