import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Registry } from '../../src/registry/registry.js'
import { until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { historyOf } from '../support/etcd-history.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { openRegistry } from '../support/registry.js'
import { UpdateLog } from '../support/update-log.js'
import { watchStreams } from '../support/watch-streams.js'
import { Writer } from '../support/writer.js'

const SERVICES = ['apples', 'pears', 'plums'] as const

interface Watched {
  readonly writer: Writer
  readonly log: UpdateLog
}

/** Watches each service by one registry with the layout `auto`: all in the range of all keys. */
async function watchAll(etcd: RealEtcd, registry: Registry): Promise<Watched[]> {
  const watched = SERVICES.map((service) => ({
    writer: new Writer(etcd.endpoint, service),
    log: new UpdateLog(registry, service),
  }))
  for (const { log } of watched) await log.has('the first list', () => log.count('reset') === 1)
  return watched
}

/** Expects that a watch reported all that etcd recorded of its service since the first list, once and in order. */
async function expectHistory({ writer, log }: Watched, upTo: number): Promise<void> {
  await log.reached(upTo)
  const [first] = log.updates
  const after = first?.type === 'reset' ? first.revision : 0
  expect(log.told).toEqual(await historyOf(writer.api, writer.prefix, { after, upTo }))
}

/** Waits until etcd has a single watch: the stream is opened after the first list, and that of a history is closed. */
async function shareOneStream(etcd: RealEtcd): Promise<void> {
  await until(
    async () => isDeepStrictEqual(await watchStreams(etcd), { streams: 1, watchers: 1 }),
    () => 'one watch on one stream',
  )
}

describe('watches of several services in one range', () => {
  test('share one etcd stream, and each reports its own service alone', async () => {
    await using etcd = await RealEtcd.start()
    const registry = await openRegistry([etcd.endpoint], { layout: 'auto' })
    const watched = await watchAll(etcd, registry)
    for (const one of watched) await expectHistory(one, await one.writer.put(1, 5))
    await shareOneStream(etcd)
    const [first, ...others] = watched
    await first?.log[Symbol.asyncDispose]()
    for (const one of others) await expectHistory(one, await one.writer.put(2, 6))
    await shareOneStream(etcd)
    for (const { log } of others) await log[Symbol.asyncDispose]()
    await until(
      async () => (await watchStreams(etcd)).streams === 0,
      () => 'the stream to be closed',
    )
    for (const { writer } of watched) writer[Symbol.dispose]()
    registry.close()
  })

  test('miss nothing that is written while they begin, one after the other', async () => {
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

  test('agree with etcd after connections broke while they joined and left and everything was written to', async () => {
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
      // A list after an outage may stand for some changes; the others are reported once and in order.
      const told = log.told.map(({ revision }) => revision)
      expect(told).toEqual([...new Set(told)].toSorted((a, b) => a - b))
      expect([log.failure, log.count('resync')]).toEqual([null, log.count('stale')])
    }
    // One that had to catch up does so by a stream of its own, until the next event.
    for (const { writer, log } of watched) await log.reached(await writer.put(9, 10))
    await shareOneStream(etcd)
    for (const { writer, log } of watched) {
      await log[Symbol.asyncDispose]()
      writer[Symbol.dispose]()
    }
    registry.close()
  })
})
