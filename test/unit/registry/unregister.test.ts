import { expect, test } from 'vitest'
import type { Endpoint } from '../../../src/domain/endpoint.js'
import { DiscoError } from '../../../src/domain/errors.js'
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
  unregister(client, endpoints, SELECTION, 8, new AbortController().signal)

test('a removal is reported although etcd then denies to look for its return', async () => {
  const denial = new DiscoError('ETCD_DENIED', 'no permission')
  const unregistered = await removeFrom(etcd({ deletes: true, denial }), [ENDPOINT])
  expect(unregistered).toMatchObject({ revision: 9, removed: [ENDPOINT], returnUnknown: denial })
})

test('a key that was removed after the list differs from one that never existed', async () => {
  const client = etcd({ deletes: false })
  expect(await removeFrom(client, [ENDPOINT])).toEqual({
    revision: 9,
    removed: [],
    wentMeanwhile: true,
    isLast: false,
  })
  expect(await removeFrom(client, [])).toEqual({
    revision: 8,
    removed: [],
    wentMeanwhile: false,
    isLast: false,
  })
})
