import { expect, test } from 'vitest'
import { drain } from '../../../src/agent/drain.js'
import type { Registry } from '../../../src/registry/registry.js'
import { endpoint } from '../../support/endpoints.js'

test('a weight that is restored at the end of the grace keeps the endpoint, and is a conflict', async () => {
  const before = endpoint({ weight: 3 })
  const drained = { ...before, weight: 0 }
  const selections: unknown[] = []
  const registry = {
    listExisting: async () => ({ revision: 1, endpoints: [before] }),
    setWeight: async () => ({ revision: 2, changes: [{ endpoint: drained, from: 3 }], leftOut: [] }),
    follow: async function* () {},
    unregister: async (selection: unknown) => {
      selections.push(selection)
      return { revision: 4, removed: [], leftOut: [before], wentMeanwhile: false, isLast: false }
    },
  } as unknown as Registry
  const selection = { service: before.service, addr: before.addr }
  const reports = { onWeighed: () => undefined, onUnweighed: () => undefined }
  const draining = drain(
    registry,
    { selection, graceMs: 0, force: false },
    reports,
    new AbortController().signal,
  )
  await expect(draining).rejects.toMatchObject({
    code: 'CONFLICT',
    message: `${before.key} was given weight 3 during the drain, and stays registered`,
  })
  expect(selections).toMatchObject([
    { keys: [before.key], filter: { select: [{ op: '=', name: 'weight', value: '0' }] } },
  ])
})
