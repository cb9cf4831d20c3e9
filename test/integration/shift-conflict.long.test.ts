import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { changeWeights } from '../../src/registry/shift/shift.js'
import { putAll, wipe } from '../support/etcd-state.js'
import { openRegistry } from '../support/registry.js'
import { sharedEtcd } from '../support/shared-etcd.js'

const etcd = await sharedEtcd()
const registry = await openRegistry([etcd.endpoint])
afterAll(() => registry.close())
beforeEach(() => wipe(etcd))

async function threeAndCanary(): Promise<void> {
  await putAll(etcd, 'hello', [
    ...[1, 2, 3].map((port) => ({ addr: `10.0.0.1:${port}`, version: '1.0.0', weight: port })),
    { addr: '10.0.0.2:1', version: '2.0.0', weight: 6 },
  ])
}

/** Weights by address. */
async function weights(): Promise<Record<string, number>> {
  const { endpoints } = await registry.list('hello')
  return Object.fromEntries(endpoints.map(({ addr, weight }) => [addr, weight]))
}

const AT_FIRST = { '10.0.0.1:1': 1, '10.0.0.1:2': 2, '10.0.0.1:3': 3, '10.0.0.2:1': 6 }

describe('a shift', () => {
  test('gives up against a client that writes all the time, and has changed nothing', async () => {
    await threeAndCanary()
    const shifting = changeWeights(registry, 'hello', async ({ endpoints }) => {
      // Between each read and its transaction.
      await putAll(etcd, 'hello', [{ addr: '10.0.0.1:1', version: '1.0.0', weight: 1 }])
      return new Map(endpoints.map(({ key }) => [key, 9]))
    })
    await expect(shifting).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await weights()).toEqual(AT_FIRST)
  })
})
