import { expect, test } from 'vitest'
import type { Endpoint } from '../../../src/domain/endpoint.js'
import { ALL_ENDPOINTS } from '../../../src/domain/endpoint-filter.js'
import { DiscoError } from '../../../src/domain/errors.js'
import { readerOf } from '../../../src/domain/layouts/reader.js'
import { parseSelector } from '../../../src/domain/selector.js'
import type { EtcdClient } from '../../../src/etcd/client.js'
import { unregister } from '../../../src/registry/unregister.js'

const ENDPOINT = { key: '/hello/a:1', addr: 'a:1', service: 'hello', version: '', modRevision: 5 } as Endpoint
const SELECTION = { service: 'hello', addr: 'a:1' }

/** An etcd that carries out the deletion, or finds nothing to delete, and fails each later read. */
function etcd({ deletes, denial }: { deletes: boolean; denial?: DiscoError }): EtcdClient {
  const responses = deletes ? [] : [{ response_range: { kvs: [] } }]
  let isFirst = true
  return {
    txn: async () => {
      if (!isFirst && denial) throw denial
      isFirst = false
      return { header: { revision: '9' }, succeeded: deletes, responses }
    },
  } as unknown as EtcdClient
}

const removeFrom = (client: EtcdClient, endpoints: readonly Endpoint[]) =>
  unregister(
    client,
    readerOf({ layout: 'seed', root: '' }),
    endpoints,
    SELECTION,
    8,
    new AbortController().signal,
  )

test('a deletion is reported even if etcd then denies the check whether the key comes back', async () => {
  const denial = new DiscoError('ETCD_DENIED', 'no permission')
  const unregistered = await removeFrom(etcd({ deletes: true, denial }), [ENDPOINT])
  expect(unregistered).toMatchObject({ revision: 9, removed: [ENDPOINT], returnUnknown: denial })
})

test('a key that was deleted after the list is distinguished from one that never existed', async () => {
  const client = etcd({ deletes: false })
  expect(await removeFrom(client, [ENDPOINT])).toEqual({
    revision: 9,
    removed: [],
    leftOut: [],
    wentMeanwhile: true,
    isLast: false,
  })
  expect(await removeFrom(client, [])).toEqual({
    revision: 8,
    removed: [],
    leftOut: [],
    wentMeanwhile: false,
    isLast: false,
  })
})

test('keys that were written after the list and no longer match are kept and reported', async () => {
  const registered = (port: number, weight: number) => {
    const value = JSON.stringify({ name: 'hello', addr: `a:${port}`, version: '', weight })
    return {
      key: Buffer.from(`/hello/a:${port}`),
      value: Buffer.from(value),
      lease: '0',
      create_revision: '1',
      mod_revision: '8',
      version: '2',
    }
  }
  const deleted: string[] = []
  const client = {
    // Two keys together are refused, and so is a:2 alone, whose weight was restored.
    txn: async ({ success }: { success: { request_delete_range?: { key: Buffer } }[] }) => {
      const keys = success.map((one) => String(one.request_delete_range?.key))
      const header = { revision: '9' }
      if (keys.length === 1 && keys[0] === '/hello/a:1') {
        deleted.push(...keys)
        return { header, succeeded: true, responses: [] }
      }
      const kvs = keys.map((key) => (key.endsWith('2') ? registered(2, 5) : registered(1, 0)))
      return {
        header,
        succeeded: false,
        responses: kvs.map((kv) => ({ response_range: { kvs: [kv] } })),
      }
    },
  } as unknown as EtcdClient
  const drained = (port: number) =>
    ({ ...ENDPOINT, key: `/hello/a:${port}`, addr: `a:${port}`, weight: 0, problem: null }) as Endpoint
  const filter = { ...ALL_ENDPOINTS, select: parseSelector('weight=0') }
  const { removed, leftOut } = await unregister(
    client,
    readerOf({ layout: 'seed', root: '' }),
    [drained(1), drained(2)],
    { service: 'hello', addr: null, keys: ['/hello/a:1', '/hello/a:2'], filter },
    8,
    AbortSignal.abort(),
  )
  expect(deleted).toEqual(['/hello/a:1'])
  expect(removed.map(({ addr }) => addr)).toEqual(['a:1'])
  expect(leftOut.map(({ addr, weight }) => [addr, weight])).toEqual([['a:2', 5]])
})
