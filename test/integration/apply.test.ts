import { afterAll, beforeEach, expect, test } from 'vitest'
import { applyDoc } from '../../src/cli/apply/document.js'
import { renderApplied } from '../../src/cli/apply/view.js'
import { applyPlan } from '../../src/registry/apply/apply.js'
import { type ApplyRules, planApply } from '../../src/registry/apply/plan.js'
import { statedKeys } from '../../src/registry/file/keys.js'
import { readRegistryFile } from '../../src/registry/file/read.js'
import { putAll, wipe } from '../support/etcd-state.js'
import { plain } from '../support/palettes.js'
import { openRegistry } from '../support/registry.js'
import { sharedEtcd } from '../support/shared-etcd.js'

const etcd = await sharedEtcd()
const registry = await openRegistry([etcd.endpoint])
afterAll(() => registry.close())
beforeEach(() => wipe(etcd))

const RULES: ApplyRules = { prune: false, force: false, leased: 'refused', root: '' }

test('changes that another client has made since the plan are told apart, with a revision that has them', async () => {
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
