import type { RealEtcd } from '../support/etcd.js'
import { EtcdApi } from '../support/etcd-api.js'
import { registration } from '../support/etcd-state.js'

/** etcd's default limit. */
const OPERATIONS_A_TXN = 128
const TXNS_IN_FLIGHT = 16

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** Name of a service in a filled registry. */
export function serviceAt(index: number): string {
  return `team-${String(index % 20).padStart(2, '0')}-service-${String(index).padStart(4, '0')}`
}

/** Registers `services` × `endpointsEach` endpoints in the default layout, without leases. */
export async function fillServices(etcd: RealEtcd, services: number, endpointsEach: number): Promise<void> {
  const api = new EtcdApi(etcd.endpoint)
  const keys = services * endpointsEach
  let next = 0
  const worker = async () => {
    while (next < keys) {
      const from = next
      next = Math.min(keys, from + OPERATIONS_A_TXN)
      const success = Array.from({ length: next - from }, (_, at) => {
        const index = from + at
        const [service, endpoint] = [Math.floor(index / endpointsEach), index % endpointsEach]
        const addr = `10.${service >> 8}.${service & 255}.${endpoint >> 8}:${9_000 + (endpoint & 255)}`
        const [key, value] = registration(serviceAt(service), addr, { version: '1.0.0', weight: 10 })
        return { request_put: { key: base64(key), value: base64(value) } }
      })
      await api.get('KV/Txn', { success })
    }
  }
  try {
    await Promise.all(Array.from({ length: TXNS_IN_FLIGHT }, worker))
  } finally {
    api.close()
  }
}
