import { MAX_VALUE_BYTES, MAX_WRITES } from '../../etcd/guarded-write.js'
import type { KeyPlan } from './plan-key.js'

/** The changes of one transaction. */
export type Batch = readonly [KeyPlan, ...KeyPlan[]]

/**
 * Divides changes into transactions. The changes of one service stay together, as far as etcd's limits allow. Several
 * small services share a transaction.
 */
export function batchesOf(changes: readonly KeyPlan[], most: number = MAX_WRITES): Batch[] {
  const batches: Batch[] = []
  let open: KeyPlan[] = []
  let bytes = 0
  const close = () => {
    const [first, ...rest] = open
    if (first) batches.push([first, ...rest])
    open = []
    bytes = 0
  }
  for (const service of byService(changes)) {
    const size = service.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
    if (open.length + service.length > most || bytes + size > MAX_VALUE_BYTES) close()
    for (const change of service) {
      const length = change.value?.length ?? 0
      if (open.length === most || (open.length > 0 && bytes + length > MAX_VALUE_BYTES)) close()
      open.push(change)
      bytes += length
    }
  }
  close()
  return batches
}

function byService(changes: readonly KeyPlan[]): Iterable<KeyPlan[]> {
  const services = new Map<string, KeyPlan[]>()
  for (const change of changes) {
    const same = services.get(change.service)
    if (same) same.push(change)
    else services.set(change.service, [change])
  }
  return services.values()
}
