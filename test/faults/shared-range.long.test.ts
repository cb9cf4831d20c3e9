import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { RealEtcd } from '../support/etcd.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { openRegistry } from '../support/registry.js'
import { expectHistory, shareOneStream, watchAll } from '../support/shared-range.js'
import { UpdateLog } from '../support/update-log.js'
import { Writer } from '../support/writer.js'

describe('watches of several services in one range', () => {
  test('miss no write while they start one after the other', async () => {
    await using etcd = await RealEtcd.start()
    const registry = await openRegistry([etcd.endpoint], { layout: 'auto' })
    const names = Array.from({ length: 8 }, (_, at) => `service-${at}`)
    const writers = names.map((name) => new Writer(etcd.endpoint, name))
    const writing = writers.map((writer) => writer.putMany(300, 20))
    const logs: UpdateLog[] = []
    for (const name of names) {
      logs.push(new UpdateLog(registry, name))
      await delay(5)
    }
    await Promise.all(writing)
    for (const [at, writer] of writers.entries()) {
      const log = logs[at]
      if (log) await expectHistory({ writer, log }, await writer.put(1, 7))
    }
    await shareOneStream(etcd)
    for (const log of logs) await log[Symbol.asyncDispose]()
    for (const writer of writers) writer[Symbol.dispose]()
    registry.close()
  })

  test('agree with etcd after connections broke during subscriptions, cancellations and writes', async () => {
    await using etcd = await RealEtcd.start()
    await using proxy = await FaultProxy.start(etcd.endpoint)
    const registry = await openRegistry([proxy.endpoint], { layout: 'auto' })
    const watched = await watchAll(etcd, registry)
    const writing = watched.map(({ writer }) => writer.putMany(1_000, 50))
    for (let cut = 0; cut < 6; cut++) {
      await using _ = new UpdateLog(registry, `of-nobody-${cut}`)
      await delay(50)
      proxy.cut()
    }
    await Promise.all(writing)
    for (const { writer, log } of watched) {
      const last = await writer.put(9, 9)
      await log.reached(last)
      expect(log.view).toEqual(await writer.view())
      // A list after an outage may summarize some changes. All others are reported once and in order.
      const revisions = log.changes.map(({ revision }) => revision)
      expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b))
      expect([log.failure, log.count('resync')]).toEqual([null, log.count('stale')])
    }
    // A watch that had to catch up uses a stream of its own until the next event.
    for (const { writer, log } of watched) await log.reached(await writer.put(9, 10))
    await shareOneStream(etcd)
    for (const { writer, log } of watched) {
      await log[Symbol.asyncDispose]()
      writer[Symbol.dispose]()
    }
    registry.close()
  })
})
