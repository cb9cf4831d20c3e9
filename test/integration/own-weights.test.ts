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

/** The own key, with the weight that was heard of last: what etcd has may be newer. */
function heard(weight: number) {
  return [{ key: KEY, registered: { service: 'hello', version: '', addr: ADDR, weight, metadata: {} } }]
}

async function weight(): Promise<number> {
  return (JSON.parse(await storedText(etcd, KEY)) as { weight: number }).weight
}

test('up gives back what etcd had at down, not what was heard of last', async () => {
  const weights = new OwnWeights(registry)
  await put(8)
  await weights.down(heard(5))
  expect(await weight()).toBe(0)
  await weights.up(heard(0))
  expect(await weight()).toBe(8)
})

test('a down that is repeated, its answer lost, does not forget', async () => {
  const weights = new OwnWeights(registry)
  await weights.down(heard(5))
  await weights.down(heard(0))
  await weights.up(heard(0))
  expect(await weight()).toBe(5)
})

test('what somebody sets meanwhile stays, also where nobody has heard of it yet', async () => {
  const weights = new OwnWeights(registry)
  await weights.down(heard(5))
  await put(3)
  await weights.up(heard(0))
  expect(await weight()).toBe(3)
})

test('what was drained before stays drained; and each down goes by its own time', async () => {
  const weights = new OwnWeights(registry)
  await put(0)
  await weights.down(heard(0))
  await weights.up(heard(0))
  expect(await weight()).toBe(0)
  await put(7)
  await weights.down(heard(7))
  await weights.up(heard(0))
  expect(await weight()).toBe(7)
})
