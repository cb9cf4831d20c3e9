import { setTimeout as delay } from 'node:timers/promises'

/** A server under test. */
export interface Server extends AsyncDisposable {
  readonly endpoint: string
}

/** A lease of two seconds that nobody keeps alive is gone by then: etcd looks twice a second. */
export const BEYOND_TWO_SECONDS_MS = 3500

/** Waits for what an expiring lease or a watcher does in its own time. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(20)
}
