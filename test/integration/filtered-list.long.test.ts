import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readerOf } from '../../src/domain/layouts/reader.js'
import { EtcdClient } from '../../src/etcd/client.js'
import { prefixRange } from '../../src/etcd/key-range.js'
import { collect, collectPages, list } from '../../src/etcd/list.js'
import type { Pairs } from '../../src/etcd/pairs.js'
import { type RangeUpdate, watchRange } from '../../src/etcd/range-watch.js'
import { countLayouts } from '../../src/registry/layout-counts.js'
import { listEndpoints } from '../../src/registry/listing.js'
import type { Etcd } from '../support/etcd.js'
import { EtcdApi } from '../support/etcd-api.js'
import { registration } from '../support/etcd-state.js'
import { sharedEtcd } from '../support/shared-etcd.js'

const FOREIGN = 100_000
const OWN = 1_000

/** A value like those of Kubernetes: long, and not JSON. */
const FOREIGN_VALUE = `k8s\0${'\u0001'.repeat(300)}`

let etcd: Etcd
let api: EtcdApi

beforeAll(async () => {
  etcd = await sharedEtcd()
  api = new EtcdApi(etcd.endpoint)
  const foreign = Array.from({ length: FOREIGN }, (_, at): [string, string] => [
    `/registry/${['pods', 'events', 'leases'][at % 3]}/kube-system/coredns-787d4945fb-${at}`,
    FOREIGN_VALUE,
  ])
  const own = Array.from({ length: OWN }, (_, at) =>
    registration(`service-${at % 50}`, `10.0.${at >> 8}.${at & 255}:80`),
  )
  await put([...foreign, ...own])
})
afterAll(async () => {
  api.close()
})

async function put(pairs: readonly (readonly [key: string, value: string])[]): Promise<void> {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  for (let at = 0; at < pairs.length; at += 125) {
    const success = pairs
      .slice(at, at + 125)
      .map(([key, value]) => ({ request_put: { key: base64(key), value: base64(value) } }))
    await api.get('KV/Txn', { success })
  }
}

/** A client that counts the keys and values in the answers of etcd. */
async function countingClient() {
  const client = await EtcdClient.create({
    endpoints: [etcd.endpoint],
    endpointsSource: 'the test',
    commandTimeoutMs: 20_000,
    dialTimeoutMs: 5_000,
  })
  const seen = { keys: 0, values: 0, valueBytes: 0, requests: 0, maxKeys: 0 }
  const take = (kvs: Pairs) => {
    seen.requests++
    seen.keys += kvs.length
    seen.maxKeys = Math.max(seen.maxKeys, kvs.length)
    for (const { value } of kvs) {
      if (value.length > 0) seen.values++
      seen.valueBytes += value.length
    }
  }
  const range = client.range.bind(client)
  const ranges = client.ranges.bind(client)
  client.range = async (request) => {
    const answer = await range(request)
    take(answer.pairs)
    return answer
  }
  client.ranges = async (requests) => {
    const answers = await ranges(requests)
    for (const { pairs } of answers) take(pairs)
    return answers
  }
  return { client, seen }
}

describe('1,000 endpoints among 100,000 foreign keys', () => {
  test('are listed by reading only the keys of all others', async () => {
    const { client, seen } = await countingClient()
    const { endpoints, otherKeys } = await listEndpoints(client, readerOf({ layout: 'auto' }))
    expect(endpoints).toHaveLength(OWN)
    expect(endpoints.every(({ layout, problem }) => layout === 'seed' && problem === null)).toBe(true)
    expect(otherKeys).toBe(FOREIGN)
    expect(seen.values).toBe(OWN)
    expect(seen.valueBytes).toBeLessThan(OWN * 100)
    expect(seen.keys).toBe(FOREIGN + OWN + OWN)
    client.close()
  })

  test('are listed by service in the same way, and by prefix if the layout is given', async () => {
    const { client, seen } = await countingClient()
    const auto = await listEndpoints(client, readerOf({ layout: 'auto' }), 'service-7')
    expect(auto.endpoints).toHaveLength(OWN / 50)
    expect(seen.values).toBe(OWN / 50)
    const before = { ...seen }
    const seed = await listEndpoints(client, readerOf({}), 'service-7')
    expect(seed.endpoints).toEqual(auto.endpoints)
    expect(seen.keys - before.keys).toBe(OWN / 50)
    client.close()
  })

  test('are counted in one pass, page by page', async () => {
    const { client, seen } = await countingClient()
    const { layouts, otherKeys } = await countLayouts(client, readerOf({ layout: 'auto' }))
    expect([...layouts]).toEqual([['seed', { services: 50, endpoints: OWN, keys: OWN }]])
    expect(otherKeys).toBe(FOREIGN)
    expect(seen.keys).toBe(FOREIGN + OWN + OWN)
    expect(seen.maxKeys).toBeLessThan(FOREIGN)
    client.close()
  })

  test('are watched without the others, which use no place in the history', async () => {
    const { client, seen } = await countingClient()
    const stop = new AbortController()
    const updates: RangeUpdate[] = []
    const reader = readerOf({ layout: 'auto' })
    const watching = watchRange(client, prefixRange(reader.prefix()), stop.signal, {
      filter: reader.keyFilter('service-7'),
    })
    const nextUpdate = async () => {
      const { value } = await watching.next()
      if (value) updates.push(value)
    }
    await nextUpdate()
    expect(updates[0]).toMatchObject({ type: 'reset' })
    expect(seen.values).toBe(OWN / 50)
    const next = nextUpdate()
    await put(Array.from({ length: 500 }, (_, at) => [`/registry/events/${at}`, FOREIGN_VALUE] as const))
    const [key, value] = registration('service-7', '10.9.9.9:80')
    await put([
      ['/registry/pods/default/service-7', FOREIGN_VALUE],
      [key, value],
      registration('service-8', '10.9.9.9:80'),
    ])
    await next
    expect(updates[1]).toMatchObject({ type: 'changes', events: [{ type: 'put', kv: { key } }] })
    stop.abort()
    await watching.return()
    client.close()
  })
})

test('a filtered list of alternating keys contains exactly the matching values, all at one revision', async () => {
  const pairs = Array.from(
    { length: 12_345 },
    (_, at) => [`/turn/${String(at).padStart(6, '0')}`, `v${at}`] as const,
  )
  await put(pairs)
  const { client, seen } = await countingClient()
  const filter = (key: string) => Number(key.slice(-6)) % 7 < 2
  const { items, others, revision } = await collect(client, prefixRange('/turn/'), filter, (kv) => [kv])
  const wanted = pairs.filter(([key]) => filter(key))
  expect(items.map(({ key, value }) => [key, value.toString()])).toEqual(wanted)
  expect(others).toBe(pairs.length - wanted.length)
  expect(seen.values).toBe(wanted.length)
  await put([['/turn/000000', 'changed']])
  const later = await list(client, prefixRange('/turn/'), () => true)
  expect(later.kvs[0]?.value.toString()).toBe('changed')
  expect(later.revision).toBeGreaterThan(revision)
  client.close()
})

test('a list restarts if its revision is compacted while it is read', async () => {
  const { client } = await countingClient()
  const range = client.range.bind(client)
  let pages = 0
  client.range = async (request) => {
    if (++pages === 2) {
      await put([['/turn/000001', 'newer']])
      await etcd.ctl('compact', String((await range({ key: Buffer.from('/') })).header.revision))
    }
    return await range(request)
  }
  const listing = await list(client, prefixRange('/turn/'), () => true)
  // The first page, a refused page, and both again.
  expect(pages).toBeGreaterThanOrEqual(4)
  expect(listing.kvs).toHaveLength(12_345)
  expect(listing.kvs[1]?.value.toString()).toBe('newer')
  client.close()
})

test('a list by pages continues at a newer revision if its revision is compacted between two pages, with each key once', async () => {
  const { client } = await countingClient()
  const all = collectPages(client, prefixRange('/registry/'), null, (kv) => [kv])
  const first = await all.next()
  await put([['/registry/pods/zzz', 'newest']])
  await etcd.ctl('compact', await revisionOf(client))
  const pages = first.value ? [first.value] : []
  for await (const page of all) pages.push(page)
  const revisions = new Set(pages.map(({ revision }) => revision))
  expect(revisions.size).toBe(2)
  const keys = pages.flatMap(({ items }) => items.map(({ key }) => key))
  expect(keys).toEqual(keys.toSorted())
  expect(new Set(keys).size).toBe(keys.length)
  expect(keys.length).toBeGreaterThan(FOREIGN)
  expect(keys.at(-1)).toBe('/registry/pods/zzz')
  client.close()
})

async function revisionOf(client: EtcdClient): Promise<string> {
  return String((await client.range({ key: Buffer.from('/') })).header.revision)
}
