import { afterAll, beforeEach, expect, test } from 'vitest'
import { applyDoc } from '../../src/cli/apply/document.js'
import { renderApplied } from '../../src/cli/apply/view.js'
import { applyPlan } from '../../src/registry/apply/apply.js'
import { type ApplyRules, planApply } from '../../src/registry/apply/plan.js'
import { statedKeys } from '../../src/registry/file/keys.js'
import { readRegistryFile } from '../../src/registry/file/read.js'
import type { Registry } from '../../src/registry/registry.js'
import { putAll, wipe } from '../support/etcd-state.js'
import { plain } from '../support/palettes.js'
import { openRegistry } from '../support/registry.js'
import { sharedEtcd } from '../support/shared-etcd.js'

const etcd = await sharedEtcd()
const registry = await openRegistry([etcd.endpoint])
afterAll(() => registry.close())
beforeEach(() => wipe(etcd))

const RULES: ApplyRules = { prune: false, force: false, leased: 'refused', root: '' }

test('changes that another client has made since the plan are counted as already made, with a revision that contains them', async () => {
  const [first, second] = ['10.0.0.1:1', '10.0.0.1:2']
  await putAll(etcd, 'hello', [
    { addr: first, weight: 1 },
    { addr: second, weight: 1 },
  ])
  const entries = [first, second].map((addr) => ({ service: 'hello', addr, weight: 3 }))
  const file = readRegistryFile(JSON.stringify({ schema: 'disco.registry/v1', endpoints: entries }), 'file')
  const stated = statedKeys(file)
  const apply = async (plan: Awaited<ReturnType<typeof planApply>>) => {
    const applied = await applyPlan(registry, plan, RULES)
    return { applied, text: renderApplied(applyDoc('file', plan, { applied, isHeld: () => false }), plain) }
  }
  const plan = await planApply(registry, stated, RULES)
  const other = await apply(await planApply(registry, stated.slice(0, 1), RULES))
  const partly = await apply(plan)
  expect(partly.text).toBe(`✓ 1 changed, 1 already as in the file (rev ${other.applied.revision + 1})`)
  const late = await apply(plan)
  expect(late.text).toBe(`✓ nothing was written, 2 already as in the file (rev ${partly.applied.revision})`)
})

test('apply names a lease that ends midway, with the keys that etcd removes with it', async () => {
  const endpoints = Array.from({ length: 200 }, (_, port) => ({
    service: 'hello',
    addr: `10.0.0.1:${port + 1}`,
  }))
  const file = readRegistryFile(JSON.stringify({ schema: 'disco.registry/v1', endpoints }), 'file')
  const rules: ApplyRules = { ...RULES, leased: { ttlSeconds: 60 } }
  const plan = await planApply(registry, statedKeys(file), rules)
  const onceWritten = async (): Promise<unknown> => {
    const { endpoints } = await registry.list('hello')
    const lease = endpoints[0]?.lease
    return lease && (await registry.internals().client.leaseRevoke(lease))
  }
  const revoking = Object.create(registry) as Registry
  revoking.internals = (options) => {
    const { client, reader } = registry.internals(options)
    const wrapped = Object.create(client) as typeof client
    wrapped.txn = async (...request) => await onceWritten().then(() => client.txn(...request))
    return { client: wrapped, reader }
  }
  const thrown = await applyPlan(revoking, plan, rules).catch((error: unknown) => error)
  expect(thrown).toMatchObject({
    code: 'CONFLICT',
    message: expect.stringMatching(
      /^The lease of the added keys, [0-9a-f]{16}, has ended, and etcd removes them/,
    ),
    cause: { message: `etcd at ${etcd.endpoint} refuses: the lease has expired or was revoked` },
  })
  expect((await registry.list('hello')).endpoints).toEqual([])
})
