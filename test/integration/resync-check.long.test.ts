import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { EtcdClient, type WatchStream } from '../../src/etcd/client.js'
import { prefixRange } from '../../src/etcd/key-range.js'
import { type RangeUpdate, watchRange } from '../../src/etcd/range-watch.js'
import { until } from '../support/disco.js'
import type { Etcd } from '../support/etcd.js'
import { wipe } from '../support/etcd-state.js'
import { sharedEtcd } from '../support/shared-etcd.js'

let etcd: Etcd
let client: EtcdClient

beforeAll(async () => {
  etcd = await sharedEtcd()
  client = await EtcdClient.create({
    endpoints: [etcd.endpoint],
    endpointsSource: 'the test',
    commandTimeoutMs: 5_000,
    dialTimeoutMs: 1_000,
  })
})
afterAll(async () => {
  client.close()
})
beforeEach(() => wipe(etcd))

/** Watches all keys under /k until `enough` returns true, with a list at every event loop turn. */
async function watched(through: EtcdClient, enough: (updates: readonly RangeUpdate[]) => boolean) {
  const updates: RangeUpdate[] = []
  const stop = new AbortController()
  const options = { resyncPeriodMs: 1 }
  const watching = (async () => {
    for await (const update of watchRange(through, prefixRange('/k'), stop.signal, options)) {
      updates.push(update)
    }
  })()
  return {
    updates,
    ended: async () => {
      await until(
        () => enough(updates),
        () => `more than ${JSON.stringify(updates.map(({ type }) => type))}`,
      )
      stop.abort()
      await watching
      return updates
    },
  }
}

async function put(key: string, value: string): Promise<number> {
  const response = await client.txn({
    compare: [],
    success: [{ request_put: { key: Buffer.from(key), value: Buffer.from(value) } }],
    failure: [],
  })
  return Number(response.header.revision)
}

test('a list during a busy watch repeats no event of the watch', async () => {
  const writes = 500
  const { updates, ended } = await watched(client, (all) => all.length > writes)
  await until(
    () => updates.length === 1,
    () => 'the first list',
  )
  const revisions: number[] = []
  for (let index = 0; index < writes; index++) revisions.push(await put(`/k${index % 7}`, String(index)))
  const [first, ...rest] = await ended()
  expect(first?.type).toBe('reset')
  expect(rest.map((update) => update.type === 'changes' && update.revision)).toEqual(revisions)
})

test('a list finds exactly the events that the watch has missed', async () => {
  const lossy = Object.assign(Object.create(client) as EtcdClient, {
    openWatch: async () => without(await client.openWatch(), 'lost'),
  })
  const { updates, ended } = await watched(lossy, (all) => all.some(({ type }) => type === 'resync'))
  await until(
    () => updates.length === 1,
    () => 'the first list',
  )
  await put('/k1', 'delivered')
  const revision = await put('/k2', 'lost')
  const all = await ended()
  expect(all.map(({ type }) => type)).toEqual(['reset', 'changes', 'resync'])
  const resync = all.at(-1)
  expect(resync).toMatchObject({ type: 'resync', revision, missedRevisions: 1 })
  expect(resync?.type === 'resync' && resync.events).toMatchObject([{ type: 'put', kv: { key: '/k2' } }])
})

/** A watch stream without the events that have this value. */
function without(stream: WatchStream, value: string): WatchStream {
  return {
    ...stream,
    async *[Symbol.asyncIterator]() {
      for await (const response of stream) {
        const events = response.events.filter((event) => event.kv.value.toString() !== value)
        yield { ...response, events }
      }
    },
  }
}
