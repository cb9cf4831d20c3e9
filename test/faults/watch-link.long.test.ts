import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RealEtcd } from '../support/etcd.js'
import { Link } from '../support/link.js'

let etcd: RealEtcd

beforeAll(async () => {
  etcd = await RealEtcd.start()
})
afterAll(() => etcd.stop())

describe.concurrent('a watch', () => {
  test('delivers each of 5,001 events once and in order if its connection is cut five times during their replay', async () => {
    await using link = await Link.open(etcd, 'replay')
    const { proxy, writer, log } = link
    await proxy.refuse()
    await log.has('the outage', () => log.count('stale') === 1)
    const last = await writer.putMany(5_001, 97)
    // The whole replay is about 900 KB.
    proxy.cutAfter('toClient', 100_000, 5)
    await proxy.accept()
    await log.reached(last)
    expect(proxy.cuts).toBe(5)
    expect(log.changes).toHaveLength(5_001)
    expect(log.changes).toEqual(await link.history(last))
    expect(log.count('reset')).toBe(1)
  })

  test('delivers each write once and in order if its connection is cut repeatedly', async () => {
    await using link = await Link.open(etcd, 'cuts')
    const { proxy, writer, log } = link
    proxy.cutAfter('toClient', 5_000, 10)
    let last = 0
    while (proxy.cuts < 10) last = await writer.put(last % 7, last)
    last = await writer.put(1, 1)
    await log.reached(last)
    expect(log.changes).toEqual(await link.history(last))
  })

  test('opens a new connection if the old one loses all packets, and delivers the writes of the meantime once', async () => {
    await using link = await Link.open(etcd, 'blackhole')
    const { proxy, writer, log } = link
    await log.reached(await writer.put(0, 1))
    const start = Date.now()
    proxy.blackhole()
    const last = await writer.putMany(100, 10)
    await log.has('the outage', () => log.count('stale') === 1)
    // With TCP alone, it would take about a minute to notice.
    expect(Date.now() - start).toBeLessThan(15_000)
    await proxy.heal()
    await log.reached(last)
    expect(log.changes).toEqual(await link.history(last))
    expect(log.count('stale')).toBe(1)
    expect(log.count('reset')).toBe(1)
  })

  test.each(['toServer', 'toClient'] as const)(
    'notices that its connection loses all packets in the direction %s',
    async (direction) => {
      await using link = await Link.open(etcd, `half-${direction.toLowerCase()}`)
      const { proxy, writer, log } = link
      await log.reached(await writer.put(0, 1))
      proxy.blackhole(direction)
      await log.has('the outage', () => log.count('stale') === 1)
      await proxy.heal()
      const last = await writer.put(1, 1)
      await log.reached(last)
      expect(log.changes).toEqual(await link.history(last))
    },
  )

  test('loses no event over a connection that is slow in both directions, and reports no outage', async () => {
    await using link = await Link.open(etcd, 'slow')
    const { proxy, writer, log } = link
    proxy.delay(300)
    proxy.limit('toClient', 200_000)
    const last = await writer.putMany(1_000, 50)
    await log.reached(last)
    expect(log.changes).toEqual(await link.history(last))
    expect(log.count('stale')).toBe(0)
  })

  test('reports no outage if its reader pauses for longer than etcd may be silent', async () => {
    await using link = await Link.open(etcd, 'slow-reader')
    const { registry, writer } = link
    const stop = new AbortController()
    const types: string[] = []
    let last = 0
    for await (const update of registry.watch({ service: 'slow-reader' }, stop.signal)) {
      types.push(update.type)
      if (update.type === 'stale') break
      if (types.length === 1) last = await writer.put(1, 1)
      if (types.length === 2) await delay(9_000)
      if (types.length === 2) last = await writer.put(1, 2)
      if (update.revision >= last) break
    }
    stop.abort()
    expect(types).toEqual(['reset', 'changes', 'changes'])
  })

  test('delivers a response of more than 4 MiB, with each revision complete', async () => {
    await using link = await Link.open(etcd, 'large')
    const { proxy, writer, log } = link
    await proxy.refuse()
    await log.has('the outage', () => log.count('stale') === 1)
    let last = 0
    for (let weight = 1; weight <= 6; weight++) last = await writer.putTogether([1, 2, 3], weight, 450_000)
    await proxy.accept()
    await log.reached(last)
    expect(proxy.passed.toClient).toBeGreaterThan(6 * 3 * 450_000)
    expect(log.changes).toEqual(await link.history(last))
    const sizes = log.updates.flatMap((update) => (update.type === 'changes' ? [update.changes.length] : []))
    expect(sizes).toEqual([3, 3, 3, 3, 3, 3])
    // A list of one page may be as large.
    for (const port of [4, 7, 10]) await writer.putTogether([port, port + 1, port + 2], 1, 450_000)
    expect((await link.registry.list('large')).endpoints).toHaveLength(12)
  })
})
