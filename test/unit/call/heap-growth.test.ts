import { cachedDataVersionTag } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { HeapGrowth } from '../../../src/call/heap-growth.js'

describe('the heap limit', () => {
  it('applies with thousands of connections, and is removed before the code cache is written', () => {
    // It changes with V8's flags: code that is cached under other flags is refused.
    const before = cachedDataVersionTag()
    {
      using few = new HeapGrowth()
      few.limitFor(1_999)
      expect(cachedDataVersionTag()).toBe(before)
    }
    {
      using many = new HeapGrowth()
      many.limitFor(2_000)
      expect(cachedDataVersionTag()).not.toBe(before)
    }
    expect(cachedDataVersionTag()).toBe(before)
  })
})
