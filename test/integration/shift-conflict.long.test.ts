import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { changeWeights } from '../../src/registry/shift/shift.js'
import { putThreeAndCanary, THREE_AND_CANARY, weightsByAddress } from '../support/canary.js'
import { putAll, wipe } from '../support/etcd-state.js'
import { openRegistry } from '../support/registry.js'
import { sharedEtcd } from '../support/shared-etcd.js'

const etcd = await sharedEtcd()
const registry = await openRegistry([etcd.endpoint])
afterAll(() => registry.close())
beforeEach(() => wipe(etcd))

describe('a shift', () => {
  test('gives up without any change if another client writes continuously', async () => {
    await putThreeAndCanary(etcd)
    const shifting = changeWeights(registry, 'hello', async ({ endpoints }) => {
      // Runs between each read and its transaction.
      await putAll(etcd, 'hello', [{ addr: '10.0.0.1:1', version: '1.0.0', weight: 1 }])
      return new Map(endpoints.map(({ key }) => [key, 9]))
    })
    await expect(shifting).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await weightsByAddress(registry)).toEqual(THREE_AND_CANARY)
  })
})
