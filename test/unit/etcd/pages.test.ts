import type { IKeyValue, IRangeRequest } from 'etcd3'
import { expect, it } from 'vitest'
import { prefixRange } from '../../../src/etcd/key-range.js'
import { pages } from '../../../src/etcd/pages.js'
import type { RangeAnswer } from '../../../src/etcd/range-answer.js'
import { rangeAnswer } from '../../support/range-answers.js'

/** Answers as etcd does, from so many keys whose values have this size. */
class Store {
  readonly requests: IRangeRequest[] = []
  private readonly kvs: IKeyValue[]

  constructor(count: number, valueBytes: number) {
    const value = Buffer.alloc(valueBytes)
    this.kvs = Array.from({ length: count }, (_, at) => {
      const key = Buffer.from(`/many/${String(at).padStart(6, '0')}`)
      return { key, value, lease: '0', version: '1', create_revision: '1', mod_revision: '1' } as IKeyValue
    })
  }

  async range(request: IRangeRequest): Promise<RangeAnswer> {
    this.requests.push(request)
    const from = this.kvs.findIndex(({ key }) => key.compare(request.key as Buffer) >= 0)
    const kvs = from < 0 ? [] : this.kvs.slice(from, from + Number(request.limit))
    const more = from + kvs.length < this.kvs.length
    return rangeAnswer(kvs, more)
  }
}

async function sizesOf(store: Store): Promise<number[]> {
  const sizes: number[] = []
  for await (const page of pages(store, prefixRange('/many/'), { keysOnly: false })) {
    expect(page.revision).toBe(7)
    sizes.push(page.pairs.length)
  }
  return sizes
}

it('grow while values are small, at most fourfold', async () => {
  const sizes = await sizesOf(new Store(60_000, 10))
  expect(sizes.reduce((sum, size) => sum + size)).toBe(60_000)
  expect(sizes[0]).toBe(5_000)
  for (const [at, size] of sizes.slice(1).entries()) expect(size).toBeLessThanOrEqual(4 * (sizes[at] ?? 0))
  expect(sizes.length).toBeLessThan(12)
})

it('shrink while values are large', async () => {
  const [first, second] = await sizesOf(new Store(8_000, 4_096))
  expect(first).toBe(5_000)
  // 8 MiB of 4 KiB, with their keys.
  expect(second).toBeLessThan(2_048)
})

it('are requested ahead, at the revision of the first page, and one at a time', async () => {
  const store = new Store(60_000, 10)
  const reading = pages(store, prefixRange('/many/'), { keysOnly: true })
  await reading.next()
  expect(store.requests.map(({ revision }) => revision)).toEqual([0, 7])
  await reading.return()
  expect(store.requests).toHaveLength(2)
})

it('of an empty range are one page', async () => {
  expect(await sizesOf(new Store(0, 0))).toEqual([0])
})
