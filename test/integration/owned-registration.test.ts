import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { OwnWeights } from '../../src/agent/registrar/owned-registration.js'
import type { Registry } from '../../src/registry/registry.js'
import type { Etcd } from '../support/etcd.js'
import { registration, storedText, wipe } from '../support/etcd-state.js'
import { openRegistry } from '../support/registry.js'
import { sharedEtcd } from '../support/shared-etcd.js'

const ADDR = '127.0.0.1:1001'
const KEY = `/hello/${ADDR}`

let etcd: Etcd
let registry: Registry

beforeAll(async () => {
  etcd = await sharedEtcd()
  registry = await openRegistry([etcd.endpoint])
})
afterAll(async () => {
  registry.close()
})
beforeEach(() => put(5))
afterEach(() => wipe(etcd))

async function put(weight: number): Promise<void> {
  await etcd.ctl('put', ...registration('hello', ADDR, { weight }))
}

/** The registrar’s key with its last observed weight, which may be older than the weight in etcd. */
function seen(weight: number) {
  return [{ key: KEY, registered: { service: 'hello', version: '', addr: ADDR, weight, metadata: {} } }]
}

async function weight(): Promise<number> {
  return (JSON.parse(await storedText(etcd, KEY)) as { weight: number }).weight
}

test('up restores the weight that etcd had at down, not the last observed weight', async () => {
  const weights = new OwnWeights(registry)
  await put(8)
  await weights.down(seen(5))
  expect(await weight()).toBe(0)
  await weights.up(seen(0))
  expect(await weight()).toBe(8)
})

test('down repeated after a lost answer keeps the weight to be restored', async () => {
  const weights = new OwnWeights(registry)
  await weights.down(seen(5))
  await weights.down(seen(0))
  await weights.up(seen(0))
  expect(await weight()).toBe(5)
})

test('up keeps a weight that another client has set meanwhile, even if it was not yet observed', async () => {
  const weights = new OwnWeights(registry)
  await weights.down(seen(5))
  await put(3)
  await weights.up(seen(0))
  expect(await weight()).toBe(3)
})

test('an endpoint that was drained before down stays drained, and each down saves the weight at its time', async () => {
  const weights = new OwnWeights(registry)
  await put(0)
  await weights.down(seen(0))
  await weights.up(seen(0))
  expect(await weight()).toBe(0)
  await put(7)
  await weights.down(seen(7))
  await weights.up(seen(0))
  expect(await weight()).toBe(7)
})
