import { setTimeout as delay } from 'node:timers/promises'

/** Sends a signal to a process group. @returns whether it still has a process */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal)
    return true
  } catch (thrown) {
    // EPERM: the group has a process of another user.
    return (thrown as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The end of the last process of a group causes no event, so it is polled. */
const POLL_MS = 20

/**
 * Ends the remaining processes of a group whose leader has ended: SIGTERM, then SIGKILL after `graceMs`, or at once when
 * `killNow` aborts.
 */
export async function endRest(group: number, graceMs: number, killNow: AbortSignal): Promise<void> {
  if (!signalGroup(group, 'SIGTERM')) return
  for (let waited = 0; waited < graceMs && !killNow.aborted; waited += POLL_MS) {
    await delay(POLL_MS)
    if (!signalGroup(group, 0)) return
  }
  signalGroup(group, 'SIGKILL')
}
