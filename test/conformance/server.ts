import { setTimeout as delay } from 'node:timers/promises'

/** A server under test. */
export interface Server extends AsyncDisposable {
  readonly endpoint: string
}

/** TTL of leases that expire: a busy machine needs some time between the grant and the first keep-alive. */
export const TTL_SECONDS = 5

/** Time after which a lease of this TTL without keep-alives has expired. etcd checks leases twice a second. */
export const BEYOND_TTL_MS = (TTL_SECONDS + 1.5) * 1_000

/** Polls a condition that depends on the expiry of a lease or on a watcher. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(20)
}
