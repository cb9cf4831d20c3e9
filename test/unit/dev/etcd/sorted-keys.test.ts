import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SortedKeys } from '../../../../src/dev/etcd/sorted-keys.js'

const key = fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\xff'), minLength: 1, maxLength: 4 })

describe('SortedKeys', () => {
  it('equals a sorted array after any insertions and removals', () => {
    const change = fc.record({ key, removes: fc.boolean() })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 300 }), key, fc.option(key), (changes, from, end) => {
        const sorted = new SortedKeys<{ key: string }>()
        const model = new Set<string>()
        for (const { key: changed, removes } of changes) {
          if (removes) sorted.remove(changed)
          else if (!model.has(changed)) sorted.insert({ key: changed })
          if (removes) model.delete(changed)
          else model.add(changed)
        }
        const expected = [...model].sort()
        expect(sorted.all().map((item) => item.key)).toEqual(expected)
        const range = { key: from, end: end ?? '' }
        const within = expected.filter((each) => each >= from && (end === null || each < end))
        expect(sorted.between(range).map((item) => item.key)).toEqual(within)
      }),
    )
  })

  it('keeps thousands of keys in order, in any order of insertion', () => {
    const keys = Array.from({ length: 5000 }, (_, index) => String(index).padStart(4, '0'))
    // 2,741 shares no divisor with 5,000, so that the steps visit every key once.
    const shuffled = keys.map((_, index) => keys[(index * 2741) % keys.length] ?? '')
    for (const order of [keys, keys.toReversed(), shuffled]) {
      const sorted = new SortedKeys<{ key: string }>()
      for (const each of order) sorted.insert({ key: each })
      expect(sorted.between({ key: '1000', end: '3000' }).map((item) => item.key)).toEqual(
        keys.slice(1000, 3000),
      )
      for (const each of order) if (each >= '0500') sorted.remove(each)
      expect(sorted.all().map((item) => item.key)).toEqual(keys.slice(0, 500))
    }
  })
})
