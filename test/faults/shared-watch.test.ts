import { describe, expect, test } from 'vitest'
import type { Update } from '../../src/domain/discovery.js'
import { until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { Link } from '../support/link.js'
import { shareOneStream } from '../support/shared-range.js'
import { UpdateLog } from '../support/update-log.js'
import { watchStreams } from '../support/watch-streams.js'

/** Number of subscribers of the service besides the one of the link. */
const OTHERS = 20

describe('watches of one service in a process', () => {
  test('share one etcd stream and watcher, from the first subscriber to the last', async () => {
    await using etcd = await RealEtcd.start()
    const link = await Link.open(etcd, 'shared')
    const others = Array.from({ length: OTHERS }, () => new UpdateLog(link.registry, 'shared'))
    for (const log of others) await log.reached(link.log.revision)
    await shareOneStream(etcd)
    const last = await link.writer.put(1, 5)
    for (const log of [link.log, ...others]) await log.reached(last)
    expect(others.map(({ types }) => types)).toEqual(others.map(() => ['reset', 'changes']))
    await link.log[Symbol.asyncDispose]()
    for (const log of others.slice(1)) await log[Symbol.asyncDispose]()
    expect(await watchStreams(etcd)).toEqual({ streams: 1, watchers: 1 })
    await others[0]?.[Symbol.asyncDispose]()
    await until(
      async () => (await watchStreams(etcd)).streams === 0,
      () => 'the stream to be closed',
    )
    await using again = new UpdateLog(link.registry, 'shared')
    await again.reached(last)
    await shareOneStream(etcd)
    await link[Symbol.asyncDispose]()
  })

  test('each receive an outage, changes hidden by a compaction, and a restored cluster exactly once', async () => {
    await using etcd = await RealEtcd.start()
    await using link = await Link.open(etcd, 'shared')
    const { proxy, writer, registry } = link
    await using second = new UpdateLog(registry, 'shared')
    const reading = new AbortController()
    const sleeper = registry.watch({ service: 'shared' }, reading.signal)
    expect((await sleeper.next()).value).toMatchObject({ type: 'reset', endpoints: [] })
    await writer.put(1, 1)
    const saved = await etcd.save()
    await second.reached(await writer.put(2, 1))
    await using late = new UpdateLog(registry, 'shared')
    await late.reached(second.revision)
    const logs = [link.log, second, late]

    await proxy.refuse()
    for (const log of logs) await log.has('the outage', () => log.count('stale') === 1)
    await using during = new UpdateLog(registry, 'shared')
    await during.has('the outage', () => during.count('stale') === 1)
    expect(during.types).toEqual(['reset', 'stale'])
    await writer.put(1, 2)
    await writer.delete(2)
    const compacted = await writer.put(3, 3)
    await writer.compact(compacted)
    await proxy.accept()
    for (const log of [...logs, during]) {
      await log.reached(compacted)
      expect(log.resynced()).toEqual([
        { key: writer.keyOf(1), weight: 2 },
        { key: writer.keyOf(2), weight: null },
        { key: writer.keyOf(3), weight: 3 },
      ])
      expect([log.count('stale'), log.count('resync')]).toEqual([1, 1])
    }

    await etcd.restore(saved)
    await etcd.restart()
    for (const log of [...logs, during]) {
      await log.has('the restored list', () => log.view.size === 1 && log.view.get(writer.keyOf(1)) === 1)
    }
    const last = await writer.put(4, 4)
    for (const log of [...logs, during]) {
      await log.has('the put', () => log.changes.some(({ revision }) => revision === last))
      expect(log.changes.filter(({ revision }) => revision === last)).toHaveLength(1)
      expect(log.failure).toBeNull()
    }
    expect(await drained(sleeper, writer.keyOf(4))).toEqual(link.log.view)
    reading.abort()
  })

  test('do not block each other: all of 5,000 changes reach the others, and a stopped reader receives the last list', async () => {
    await using etcd = await RealEtcd.start()
    await using link = await Link.open(etcd, 'shared')
    const sleeper = link.registry.watch({ service: 'shared' }, new AbortController().signal)
    await sleeper.next()
    const last = await link.writer.putMany(5_000, 50)
    await link.log.reached(last)
    expect(link.log.changes).toEqual(await link.history(last))
    const { value: reset } = await sleeper.next()
    expect(reset).toMatchObject({ type: 'reset', revision: last, source: 'etcd' })
    const after = await link.writer.put(1, 7)
    expect((await sleeper.next()).value).toMatchObject({ type: 'changes', revision: after })
    await sleeper.return()
  })
})

/** Reads the waiting updates of a subscriber until it contains a key. @returns the weights by key */
async function drained(updates: AsyncIterator<Update, void>, last: string): Promise<Map<string, number>> {
  const weights = new Map<string, number>()
  for (;;) {
    const { value: update } = await updates.next()
    if (!update || update.type === 'stale') continue
    if (update.type === 'reset') {
      weights.clear()
      for (const { key, weight } of update.endpoints) weights.set(key, weight)
    } else {
      for (const change of update.changes) {
        const weight = change.type === 'put' ? change.endpoints[0]?.weight : undefined
        if (weight === undefined) weights.delete(change.key)
        else weights.set(change.key, weight)
      }
    }
    if (weights.has(last)) return weights
  }
}
