import { setTimeout as sleep } from 'node:timers/promises'
import type { experimental } from '@grpc/grpc-js'
import type { Discovery, Update } from '../../src/domain/discovery.js'
import { resolverFor } from '../../src/grpc/resolver/resolver.js'
import { endpoint } from '../support/endpoints.js'
import { median } from './median.js'

const CHANGES = 40
/** Longer than the window in which changes are collected. */
const PAUSE_MS = 120

function endpointAt(index: number, weight: number) {
  return endpoint({ addr: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:9000`, weight })
}

/** CPU of one weight change among so many endpoints, from the registry's update to grpc-js's listener, in ms. */
export async function resolverUpdateCost(size: number): Promise<number> {
  let give: (update: Update) => void = () => undefined
  const discovery: Discovery = {
    async *watch(_, signal) {
      const endpoints = Array.from({ length: size }, (_, index) => endpointAt(index, 1))
      yield { type: 'reset', revision: 1, endpoints, source: 'etcd', ageMs: 0 }
      while (!signal.aborted) yield await new Promise<Update>((resolve) => (give = resolve))
    },
  }
  let updates = 0
  const listener = () => ++updates > 0
  const target = { scheme: 'etcd', path: 'hello' }
  const Resolver = resolverFor(discovery)
  const resolver = new Resolver(target, listener as experimental.ResolverListener, {})
  resolver.updateResolution()
  const cpuMs: number[] = []
  for (let change = 1; change <= CHANGES; change++) {
    await sleep(PAUSE_MS)
    const expected = updates + 1
    const cpu = process.cpuUsage()
    const changed = endpointAt((change * 7) % size, change + 1)
    give({
      type: 'changes',
      revision: change + 1,
      changes: [{ type: 'put', key: changed.key, endpoints: [changed] }],
    })
    while (updates < expected) await sleep(1)
    const { user, system } = process.cpuUsage(cpu)
    cpuMs.push((user + system) / 1_000)
  }
  resolver.destroy()
  return median(cpuMs)
}
