import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { parseSelector } from '../../src/domain/selector.js'
import { shiftShares } from '../../src/registry/shift/shift.js'
import { undoShift } from '../../src/registry/shift/undo.js'
import { putAll, registration, revision, wipe } from '../support/etcd-state.js'
import { openRegistry } from '../support/registry.js'
import { sharedEtcd } from '../support/shared-etcd.js'

const etcd = await sharedEtcd()
const registry = await openRegistry([etcd.endpoint])
afterAll(() => registry.close())
beforeEach(() => wipe(etcd))

const CANARY = { filter: { select: parseSelector('version=2.0.0'), addrs: [], host: null } }

const put = (addr: string, version: string, weight: number) =>
  etcd.ctl('put', ...registration('hello', addr, { version, weight }))

/** Weights by address. */
async function weights(): Promise<Record<string, number>> {
  const { endpoints } = await registry.list('hello')
  return Object.fromEntries(endpoints.map(({ addr, weight }) => [addr, weight]))
}

describe('a shift', () => {
  test('of 1,000 endpoints uses one transaction, and sets exactly the share', async () => {
    for (let at = 0; at < 1_000; at += 100) {
      const addrs = Array.from({ length: 100 }, (_, index) => at + index + 1)
      const placed = addrs.map((port) => ({
        addr: `10.0.0.1:${port}`,
        version: port > 990 ? '2.0.0' : '1.0.0',
      }))
      await putAll(etcd, 'hello', placed)
    }
    const before = await revision(etcd)
    const { revision: at, changes } = await shiftShares(registry, 'hello', [{ ...CANARY, sharePpm: 100_000 }])
    expect(at).toBe(before + 1)
    expect(await revision(etcd)).toBe(before + 1)
    const { endpoints } = await registry.list('hello')
    expect(new Set(endpoints.map(({ modRevision }) => modRevision))).toEqual(new Set([at]))
    const share = changes.reduce(
      (sum, { endpoint, shareFraction }) => sum + (endpoint.version === '2.0.0' ? shareFraction.to : 0),
      0,
    )
    expect(share).toBeCloseTo(0.1, 10)
    await undoShift(registry, 'hello')
    expect(new Set(Object.values(await weights()))).toEqual(new Set([1]))
    expect(await revision(etcd)).toBe(before + 2)
  })

  test.each([4, 300])(
    'of %d keys sets exactly the share at its revision while other clients write, register and deregister',
    async (count) => {
      const placed = Array.from({ length: count - 1 }, (_, at) => ({
        addr: `10.0.0.1:${at + 1}`,
        version: '1.0.0',
      }))
      for (let at = 0; at < placed.length; at += 100) await putAll(etcd, 'hello', placed.slice(at, at + 100))
      await put('10.0.0.2:1', '2.0.0', 1)
      let isOver = false
      let writes = 0
      const writer = async () => {
        for (let round = 0; !isOver; round++) {
          const startMs = performance.now()
          await putAll(etcd, 'hello', [
            { addr: `10.0.0.1:${1 + (round % 3)}`, version: '1.0.0', weight: 1 + (round % 5) },
          ])
          if (round % 2 === 0)
            await putAll(etcd, 'hello', [{ addr: '10.0.0.3:1', version: '1.0.0', weight: 3 }])
          else await etcd.ctl('del', '/hello/1.0.0/10.0.0.3:1')
          writes++
          // A shift gives up after twenty conflicts. On a slow machine it takes longer, so the pauses do too.
          await delay(20 + 2 * (performance.now() - startMs))
        }
      }
      const writing = writer()
      try {
        for (const sharePpm of [100_000, 300_000, 50_000]) {
          const shifted = await shiftShares(registry, 'hello', [{ ...CANARY, sharePpm }])
          const { revision: at, changes, written } = shifted
          const ofCanaryBefore = changes.find(({ endpoint }) => endpoint.version === '2.0.0')?.from ?? 0
          const allBefore = changes.reduce((sum, { from }) => sum + from, 0)
          // Nothing is written only if the weights of the other writer already give the share.
          expect(written).toBe(ofCanaryBefore * 1e6 !== allBefore * sharePpm)
          const text = await etcd.ctl('get', '/hello/', '--prefix', '--print-value-only', '--rev', String(at))
          const values = text
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as { version: string; weight: number })
          const all = values.reduce((sum, { weight }) => sum + weight, 0)
          const ofCanary = values.find(({ version }) => version === '2.0.0')?.weight ?? 0
          expect(ofCanary / all).toBeCloseTo(sharePpm / 1e6, 10)
        }
      } finally {
        isOver = true
        await writing
      }
      expect(writes).toBeGreaterThan(0)
    },
  )
})
