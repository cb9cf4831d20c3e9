import { setTimeout as delay } from 'node:timers/promises'

/** Sends a signal to a process group. @returns whether it still has a process */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal)
    return true
  } catch (thrown) {
    // EPERM: a process of the group has taken another user.
    return (thrown as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const POLL_MS = 20

/**
 * Ends what is left of a process group whose leader has ended: SIGTERM, and SIGKILL after the grace, or at once when the
 * signal aborts.
 */
export async function endRest(group: number, graceMs: number, killNow: AbortSignal): Promise<void> {
  if (!signalGroup(group, 'SIGTERM')) return
  for (let waited = 0; waited < graceMs && !killNow.aborted; waited += POLL_MS) {
    await delay(POLL_MS)
    if (!signalGroup(group, 0)) return
  }
  signalGroup(group, 'SIGKILL')
}
