import { describe, expect, it } from 'vitest'
import { ShareLedger } from '../../../src/stats/share-ledger.js'

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
  it('sums picks x share, epoch by epoch', () => {
    const ledger = ledgerOf({ a: 1, b: 3 })
    pick(ledger, 'abbb')
    rotate(ledger, { a: 1, b: 1 })
    pick(ledger, 'aabb')
    expect([...ledger.tallies()]).toEqual([
      ['a', { picks: 3, expected: 1 + 2 }],
      ['b', { picks: 5, expected: 3 + 2 }],
    ])
    expect(ledger.largestGap()).toBe(0)
  })

  it('lists who was expected and never picked', () => {
    const ledger = ledgerOf({ a: 1, b: 1 })
    pick(ledger, 'aa')
    expect(ledger.tallies().get('b')).toEqual({ picks: 0, expected: 1 })
    expect(ledger.largestGap()).toBe(1)
  })

  it('counts as unexpected a pick of somebody out of rotation', () => {
    const ledger = ledgerOf({ a: 1 })
    pick(ledger, 'ax')
    expect(ledger.tallies().get('x')).toEqual({ picks: 1, expected: 0 })
    expect(ledger.tallies().get('a')).toEqual({ picks: 1, expected: 2 })
  })

  it('lets a gap grow through weight changes', () => {
    const ledger = ledgerOf({ a: 1, b: 1 })
    pick(ledger, 'aa')
    rotate(ledger, { a: 1, b: 3 })
    pick(ledger, 'aaaa')
    expect(ledger.largestGap()).toBe(1 + 3)
  })

  it('starts the gap anew with the membership, and remembers the largest there was', () => {
    const ledger = ledgerOf({ a: 1, b: 1 })
    pick(ledger, 'aaaa')
    rotate(ledger, { a: 1, b: 1, c: 2 })
    pick(ledger, 'bbcc')
    expect(ledger.largestGap()).toBe(2)
    rotate(ledger, { a: 1 })
    pick(ledger, 'a')
    expect(ledger.largestGap()).toBe(2)
  })

  it('takes as many other members for a change of membership', () => {
    const ledger = ledgerOf({ a: 1, b: 1 })
    pick(ledger, 'aa')
    rotate(ledger, { a: 1, c: 1 })
    pick(ledger, 'aa')
    expect(ledger.largestGap()).toBe(1)
  })

  it('says the same however often it is asked', () => {
    const ledger = ledgerOf({ a: 1, b: 1 })
    pick(ledger, 'a')
    expect(ledger.largestGap()).toBe(0.5)
    pick(ledger, 'b')
    expect(ledger.largestGap()).toBe(0)
    expect(ledger.tallies().get('a')).toEqual({ picks: 1, expected: 1 })
    expect(ledger.tallies().get('a')).toEqual({ picks: 1, expected: 1 })
  })

  it('is empty without a pick', () => {
    const ledger = ledgerOf({ a: 1 })
    expect(ledger.tallies().size).toBe(0)
    expect(ledger.largestGap()).toBe(0)
  })
})
