import { fromBinary } from '@bufbuild/protobuf'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Endpoint } from '../../../src/domain/endpoint.js'
import { Catalog } from '../../../src/xds/catalog.js'
import { ClusterLoadAssignmentSchema } from '../../../src/xds/proto/xds_pb.js'
import type { ListSource } from '../../../src/xds/service-lists.js'
import { endpoint } from '../../support/endpoints.js'
import { ScriptedDiscovery } from '../../support/scripted-discovery.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const A = '10.0.0.1:1001'

/** The catalog of `hello` with a resolver that the test answers. */
function cataloged() {
  const pending = new Map<string, (ips: readonly string[] | Error) => void>()
  const source: ListSource = {
    discovery: new ScriptedDiscovery(),
    query: { service: 'hello' },
    service: 'hello',
  }
  const catalog = new Catalog({
    sources: [source],
    canary: null,
    lookup: (host) =>
      new Promise((resolve, reject) => {
        pending.set(host, (answer) => (answer instanceof Error ? reject(answer) : resolve(answer)))
      }),
    changed: () => undefined,
  })
  return {
    catalog,
    list: (...endpoints: Endpoint[]) => catalog.listed(new Map([['hello', endpoints]]), source),
    answer: async (host: string, answer: readonly string[] | Error) => {
      pending.get(host)?.(answer)
      await vi.advanceTimersByTimeAsync(100)
    },
    served: () => {
      const any = catalog.assignment('hello')
      if (!any) return null
      const { endpoints } = fromBinary(ClusterLoadAssignmentSchema, any.value)
      return Object.fromEntries(
        endpoints.map(({ locality, loadBalancingWeight }) => [locality?.subZone, loadBalancingWeight]),
      )
    },
  }
}

it('changes of a service are served at once while its new host names are being resolved', async () => {
  const { catalog, list, answer, served } = cataloged()
  list(endpoint({ addr: A, weight: 1 }))
  expect(served()).toEqual({ [A]: 1 })
  for (let weight = 2; weight < 10; weight++) {
    list(endpoint({ addr: A, weight }), endpoint({ addr: `slow-${weight}:1001`, weight: 1 }))
    expect(served()).toEqual({ [A]: weight })
    await vi.advanceTimersByTimeAsync(1_000)
  }
  await answer('slow-2', ['10.0.0.9'])
  await answer('slow-9', ['10.0.0.9'])
  expect(served()).toEqual({ [A]: 9, 'slow-9:1001': 1 })
  catalog.close()
})

it('a service is not served empty only because its host names are being resolved', async () => {
  const { catalog, list, answer, served } = cataloged()
  list(endpoint({ addr: 'slow:1001', weight: 1 }))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(served()).toBeNull()
  await answer('slow', ['10.0.0.9'])
  expect(served()).toEqual({ 'slow:1001': 1 })
  list(endpoint({ addr: 'new:1001', weight: 1 }))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(served()).toEqual({ 'slow:1001': 1 })
  await answer('new', new Error('ENOTFOUND'))
  expect(served()).toEqual({})
  catalog.close()
})
