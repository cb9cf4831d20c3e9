import type { IKeyValue, IRangeRequest } from 'etcd3'
import { expect, it } from 'vitest'
import type { EtcdClient } from '../../../src/etcd/client.js'
import { prefixRange } from '../../../src/etcd/key-range.js'
import { collect } from '../../../src/etcd/list.js'
import type { KeyValue } from '../../../src/etcd/pairs.js'
import type { RangeAnswer } from '../../../src/etcd/range-answer.js'
import { rangeAnswer } from '../../support/range-answers.js'

const KEYS = Array.from({ length: 60_000 }, (_, at) => `/many/${String(at).padStart(6, '0')}`)

/** Answers as etcd does, from these keys; notes how many keys each transaction reads, and by how many ranges. */
class Store {
  readonly transactions: { ranges: number; keys: number }[] = []
  private readonly kvs = KEYS.map((key) => {
    const numbers = { lease: '0', version: '1', create_revision: '1', mod_revision: '1' }
    return { key: Buffer.from(key), value: Buffer.from(key), ...numbers } as IKeyValue
  })

  async range({ key, range_end: end, limit }: IRangeRequest): Promise<RangeAnswer> {
    const [from, to] = [this.indexOf(key as Buffer), this.indexOf(end as Buffer)]
    const most = Number(limit ?? 0) || Infinity
    const kvs = this.kvs.slice(from, Math.min(to, from + most))
    return rangeAnswer(kvs, from + most < to)
  }

  async ranges(requests: readonly IRangeRequest[]): Promise<RangeAnswer[]> {
    const answers = await Promise.all(requests.map((request) => this.range(request)))
    const keys = answers.reduce((sum, { pairs }) => sum + pairs.length, 0)
    this.transactions.push({ ranges: requests.length, keys })
    return answers
  }

  /** Of the first key that is not below this one. */
  private indexOf(key: Buffer): number {
    let [low, high] = [0, this.kvs.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.kvs[middle]?.key.compare(key) ?? 0) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

it.each([
  ['all keys are kept', () => true],
  ['runs of 999 keys are kept', (at: number) => at % 1_000 !== 0],
  ['every second key is kept', (at: number) => at % 2 === 0],
])('reads at most 5,000 values in a transaction where %s', async (_, isKept) => {
  const store = new Store()
  const filter = (key: string) => isKept(Number(key.slice('/many/'.length)))
  const { items, others } = await collect<KeyValue>(
    store as unknown as EtcdClient,
    prefixRange('/many/'),
    filter,
    (kv) => [kv],
  )
  expect(items.map(({ key }) => key)).toEqual(KEYS.filter(filter))
  expect(items.every(({ key, value }) => value.toString() === key)).toBe(true)
  expect(items.length + others).toBe(KEYS.length)
  for (const { ranges, keys } of store.transactions) {
    expect(keys).toBeLessThanOrEqual(5_000)
    expect(ranges).toBeLessThanOrEqual(128)
  }
})
