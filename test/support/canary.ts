import type { Registry } from '../../src/registry/registry.js'
import type { Etcd } from './etcd.js'
import { putAll } from './etcd-state.js'

/** Weights by address after `putThreeAndCanary`. The last address is the canary's. */
export const THREE_AND_CANARY = { '10.0.0.1:1': 1, '10.0.0.1:2': 2, '10.0.0.1:3': 3, '10.0.0.2:1': 6 }

/** Writes three endpoints of version 1.0.0 and one of version 2.0.0 into the service hello. */
export async function putThreeAndCanary(etcd: Etcd): Promise<void> {
  await putAll(etcd, 'hello', [
    ...[1, 2, 3].map((port) => ({ addr: `10.0.0.1:${port}`, version: '1.0.0', weight: port })),
    { addr: '10.0.0.2:1', version: '2.0.0', weight: 6 },
  ])
}

/** Weights of the service hello by address. */
export async function weightsByAddress(registry: Registry): Promise<Record<string, number>> {
  const { endpoints } = await registry.list('hello')
  return Object.fromEntries(endpoints.map(({ addr, weight }) => [addr, weight]))
}
