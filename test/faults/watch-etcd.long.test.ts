import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { EtcdClient } from '../../src/etcd/client.js'
import { prefixRange } from '../../src/etcd/key-range.js'
import { watchRange } from '../../src/etcd/range-watch.js'
import { until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { EtcdCluster } from '../support/etcd-cluster.js'
import { historyOf } from '../support/etcd-history.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { Link } from '../support/link.js'
import { openRegistry } from '../support/registry.js'
import { UpdateLog } from '../support/update-log.js'
import { Writer } from '../support/writer.js'

describe.concurrent('a watch', () => {
  test('reports one outage for a restart of etcd that takes 6 s, and neither loses nor repeats an event', async () => {
    await using etcd = await RealEtcd.start()
    await using link = await Link.open(etcd, 'restart')
    const { writer, log } = link
    await log.reached(await writer.putMany(20, 5))
    await etcd.kill()
    await delay(6_000)
    await etcd.restart()
    const last = await writer.putMany(20, 5)
    await log.reached(last)
    expect(log.changes).toEqual(await link.history(last))
    expect(log.types).toEqual(['reset', 'changes', 'stale', 'resync', 'changes'])
  })

  test('reports one resync with exactly the differences after a compaction during an outage', async () => {
    await using etcd = await RealEtcd.start()
    await using link = await Link.open(etcd, 'compaction')
    const { proxy, writer, log } = link
    for (const port of [1, 2, 3]) await writer.put(port, 1)
    const before = await writer.put(4, 1)
    await log.reached(before)
    await proxy.refuse()
    await log.has('the outage', () => log.count('stale') === 1)
    await writer.put(1, 2)
    await writer.put(1, 5)
    await writer.delete(2)
    await writer.put(5, 1)
    await writer.delete(5)
    const last = await writer.put(6, 1)
    await writer.compact(last)
    await proxy.accept()
    await log.reached(last)
    expect(log.types).toEqual(['reset', 'changes', 'stale', 'resync'])
    expect(log.count('resync')).toBe(1)
    const resync = log.updates.at(-1)
    expect(resync).toMatchObject({ type: 'resync', revision: last, missedRevisions: last - before })
    expect(log.resynced()).toEqual([
      { key: writer.keyOf(1), weight: 5 },
      { key: writer.keyOf(2), weight: null },
      { key: writer.keyOf(6), weight: 1 },
    ])
    const after = await writer.put(1, 6)
    await log.reached(after)
    expect(log.changes.at(-1)).toEqual({ revision: after, key: writer.keyOf(1), weight: 6 })
  })

  test('delivers a deletion if a compaction at its revision happens between the list and the watch', async () => {
    await using etcd = await RealEtcd.start()
    using writer = new Writer(etcd.endpoint, 'tombstone')
    await writer.put(1, 1)
    await writer.put(2, 1)
    const client = await EtcdClient.create({
      endpoints: [etcd.endpoint],
      endpointsSource: 'the test',
      commandTimeoutMs: 10_000,
      dialTimeoutMs: 1_000,
    })
    const late = Object.create(client, {
      // etcd accepts a watch from the compacted revision, but no longer has the deletions at that revision.
      openWatch: {
        value: async () => {
          if ((await writer.view()).size === 2) await writer.compact(await writer.delete(2))
          return await client.openWatch()
        },
      },
    }) as EtcdClient
    const keys = new Set<string>()
    try {
      for await (const update of watchRange(late, prefixRange(writer.prefix), AbortSignal.timeout(20_000))) {
        if (update.type === 'reset') for (const { key } of update.kvs) keys.add(key)
        else if (update.type === 'stale') throw update.cause
        else for (const event of update.events) if (event.type === 'delete') keys.delete(event.key)
        if (keys.size === 1) break
      }
    } finally {
      client.close()
    }
    expect([...keys]).toEqual([writer.keyOf(1)])
  })

  test('delivers the difference and later changes after the cluster is restored from a snapshot', async () => {
    await using etcd = await RealEtcd.start()
    await using link = await Link.open(etcd, 'restored')
    const { writer, log } = link
    await writer.put(1, 1)
    await writer.put(2, 2)
    const saved = await etcd.save()
    await writer.put(1, 10)
    await writer.delete(2)
    await log.reached(await writer.put(3, 3))
    await etcd.restore(saved)
    await etcd.restart()
    await expectFollowed(link, new Map([1, 2].map((port) => [writer.keyOf(port), port])))
  })

  test.each([
    ['seed', 'come to the same', 3],
    ['auto', 'come to the same', 3],
    ['seed', 'overtaken the', 30],
    ['auto', 'overtaken the', 30],
  ] as const)(
    'with the layout %s notices a restored snapshot at the next contact when the cluster has %s revision',
    async (layout, _, puts) => {
      await using etcd = await RealEtcd.start()
      await using link = await Link.open(etcd, 'overtaken', { layout })
      const { proxy, writer, log } = link
      await writer.put(1, 1)
      await writer.put(2, 2)
      const saved = await etcd.save()
      await writer.put(1, 10)
      await writer.delete(2)
      await log.reached(await writer.put(3, 3))
      await proxy.refuse()
      await log.has('the outage', () => log.count('stale') === 1)
      await etcd.restore(saved)
      await etcd.restart()
      let now = 0
      for (let weight = 1; weight <= puts; weight++) now = await writer.put(4, weight)
      expect(now - log.revision).toBe(puts - 3)
      await proxy.accept()
      const weights = [
        [1, 1],
        [2, 2],
        [4, puts],
      ] as const
      await expectFollowed(link, new Map(weights.map(([port, weight]) => [writer.keyOf(port), weight])))
    },
  )

  test('follows a cluster that was wiped and restarted, with a lower revision', async () => {
    await using etcd = await RealEtcd.start()
    await using link = await Link.open(etcd, 'wiped')
    const { writer, log } = link
    await log.reached(await writer.putMany(50, 5))
    await etcd.throwAway()
    await etcd.restart()
    await expectFollowed(link, new Map())
  })

  test('follows another cluster at the same endpoint, with a higher revision', async () => {
    await using etcd = await RealEtcd.start()
    await using link = await Link.open(etcd, 'another')
    const { proxy, writer, log } = link
    await log.reached(await writer.putMany(10, 5))
    await proxy.refuse()
    etcd.becomeAnotherCluster()
    await etcd.throwAway()
    await etcd.restart()
    for (let weight = 1; weight <= 30; weight++) await writer.put(0, weight)
    await proxy.accept()
    await expectFollowed(link, new Map([[writer.keyOf(0), 30]]))
  })

  test('delivers two keys of one expired lease in one revision', async () => {
    await using etcd = await RealEtcd.start()
    await using link = await Link.open(etcd, 'lease')
    const { writer, log } = link
    const { ID: lease } = await writer.api.get('Lease/LeaseGrant', { TTL: '5' })
    await writer.put(1, 1, String(lease))
    const last = await writer.put(2, 1, String(lease))
    await log.reached(last + 1)
    expect(log.updates.at(-1)).toMatchObject({
      type: 'changes',
      revision: last + 1,
      changes: [1, 2].map((port) => ({ type: 'delete', key: writer.keyOf(port) })),
    })
    expect(log.view.size).toBe(0)
  })

  test('delivers each of 3,000 writes once and in order if one of three members is killed meanwhile', async () => {
    await using cluster = await EtcdCluster.start()
    const [first, second, third] = cluster.members
    if (!first || !second || !third) throw new Error('a cluster of three has three members')
    using writer = new Writer(second.endpoint, 'killed')
    const registry = await openRegistry(cluster.endpoints)
    const log = new UpdateLog(registry, 'killed')
    try {
      await log.has('the first list', () => log.count('reset') === 1)
      const after = log.revision
      const writing = writer.putMany(3_000, 50)
      await log.has('some of the writes', () => log.changes.length > 500)
      // The watch uses the first member, because clients start with it.
      expect(cluster.proxies[0]?.accepted).toBeGreaterThan(0)
      await first.kill()
      await writing
      const last = await writer.put(1, 1)
      await log.reached(last)
      const happened = await historyOf(writer.api, writer.prefix, { after, upTo: last })
      expect(happened.length).toBeGreaterThan(3_000)
      expect(log.changes).toEqual(happened)
      expect(log.count('reset')).toBe(1)
    } finally {
      await log[Symbol.asyncDispose]()
      registry.close()
    }
  })

  test('a list of 100,000 keys is at one revision, even if that revision is compacted midway', async () => {
    await using etcd = await RealEtcd.start()
    await using proxy = await FaultProxy.start(etcd.endpoint)
    using writer = new Writer(etcd.endpoint, 'many')
    const filled = await writer.fill(100_000)
    const registry = await openRegistry([proxy.endpoint])
    try {
      proxy.limit('toClient', 10_000_000)
      const listed = registry.list('many')
      await until(
        () => proxy.passed.toClient > 1_000_000,
        () => 'the first pages',
      )
      // Without this, a quick machine might answer the last page before the compaction.
      proxy.blackhole('toClient')
      await writer.delete(99_999)
      const compacted = await writer.put(100_000, 1)
      await writer.compact(compacted)
      await proxy.heal()
      const { revision, endpoints } = await listed
      expect(revision).toBeGreaterThan(filled)
      expect(revision).toBe(compacted)
      expect(endpoints).toHaveLength(100_000)
      const keys = new Set(endpoints.map(({ key }) => key))
      expect(keys.size).toBe(100_000)
      expect(keys.has(writer.keyOf(99_999))).toBe(false)
      expect(keys.has(writer.keyOf(100_000))).toBe(true)
    } finally {
      registry.close()
    }
  })
})

/** Waits until the log has this view, and checks that it follows later writes. */
async function expectFollowed({ writer, log }: Link, view: ReadonlyMap<string, number>): Promise<void> {
  await log.has('the new list', () => sameEntries(log.view, view))
  const last = await writer.put(7, 7)
  await until(
    () => log.changes.some(({ revision, key }) => revision === last && key === writer.keyOf(7)),
    () => `a put in the new cluster, at revision ${last}`,
  )
  expect(log.view).toEqual(new Map([...view, [writer.keyOf(7), 7]]))
  expect(log.failure).toBeNull()
}

function sameEntries(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([key, weight]) => b.get(key) === weight)
}
