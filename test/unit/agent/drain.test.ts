import { expect, test } from 'vitest'
import { drain } from '../../../src/agent/drain.js'
import { ALL_ENDPOINTS } from '../../../src/domain/endpoint-filter.js'
import type { DiscoError } from '../../../src/domain/errors.js'
import { parseSelector } from '../../../src/domain/selector.js'
import type { Registry } from '../../../src/registry/registry.js'
import type { EndpointSelection } from '../../../src/registry/selection.js'
import { endpoint } from '../../support/endpoints.js'

test('the suggested command that removes endpoints without weights can be pasted into a shell, also for many endpoints', async () => {
  const many = Array.from({ length: 6 }, (_, at) => endpoint({ addr: `10.0.0.5:${at + 1}`, layout: 'etcd' }))
  const registry = { listExisting: async () => ({ revision: 1, endpoints: many }) } as unknown as Registry
  const reports = { onWeightSet: () => undefined, onWeightFailed: () => undefined }
  const hint = async (selection: EndpointSelection) => {
    const request = { selection, graceMs: 0, force: false }
    const refused = await drain(registry, request, reports, new AbortController().signal).catch(
      (error: unknown) => error,
    )
    return (refused as DiscoError).suggestions[0]
  }
  const filter = { ...ALL_ENDPOINTS, select: parseSelector('weight>0', '-l'), host: '10.0.0.5' }
  expect(await hint({ service: 'hello', addr: null, filter })).toBe(
    "Remove them at once: disco unregister hello -l 'weight>0' --host 10.0.0.5",
  )
  const addrs = many.map(({ addr }) => addr)
  expect(await hint({ service: 'hello', addr: null, filter: { ...ALL_ENDPOINTS, addrs } })).toBe(
    `Remove them at once: disco unregister hello ${addrs.join(' ')}`,
  )
})

test('an endpoint whose weight is restored during the grace period is kept, and the drain fails with a conflict', async () => {
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
  const reports = { onWeightSet: () => undefined, onWeightFailed: () => undefined }
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
