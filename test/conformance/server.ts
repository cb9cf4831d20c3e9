import { setTimeout as delay } from 'node:timers/promises'

/** A server under test. */
export interface Server extends AsyncDisposable {
  readonly endpoint: string
}

/** Time after which a lease of two seconds without keep-alives has expired. etcd checks leases twice a second. */
export const BEYOND_TWO_SECONDS_MS = 3500

/** Polls a condition that depends on the expiry of a lease or on a watcher. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(20)
}
