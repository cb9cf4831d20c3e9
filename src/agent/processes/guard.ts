import { DiscoError } from '../../domain/errors.js'
import type { GuardResult } from '../shift-steps.js'
import { endOf, launch } from './child-process.js'
import { endRest, signalGroup } from './process-group.js'

/** Time to end after SIGTERM. */
const KILL_AFTER_MS = 5_000

/**
 * Runs a command that decides by its exit code: 0 is good. It runs in a process group of its own, which is ended with
 * its time, or when the signal aborts; so are processes that it has left behind. What it prints goes to standard error.
 * Never rejects.
 *
 * @param killNow ends the group at once
 */
export async function runGuard(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  timeoutMs: number,
  signal: AbortSignal,
  killNow: AbortSignal,
): Promise<GuardResult> {
  let killing: NodeJS.Timeout | undefined
  let late: NodeJS.Timeout | undefined
  let isLate = false
  try {
    const child = await launch(command, {
      stdio: ['ignore', 2, 2],
      detached: true,
      env: { ...process.env, ...env },
    })
    const ended = endOf(child)
    const stop = () => {
      signalGroup(child.pid, 'SIGTERM')
      killing ??= setTimeout(() => signalGroup(child.pid, 'SIGKILL'), KILL_AFTER_MS)
    }
    const kill = () => signalGroup(child.pid, 'SIGKILL')
    late = setTimeout(() => {
      isLate = true
      stop()
    }, timeoutMs)
    signal.addEventListener('abort', stop)
    killNow.addEventListener('abort', kill)
    if (signal.aborted) stop()
    if (killNow.aborted) kill()
    const { code } = await ended
    signal.removeEventListener('abort', stop)
    killNow.removeEventListener('abort', kill)
    clearTimeout(late)
    clearTimeout(killing)
    await endRest(child.pid, KILL_AFTER_MS, killNow)
    if (isLate) return { ok: false, text: `did not end in ${timeoutMs / 1000}s` }
    return { ok: code === 0, text: `exit code ${code}` }
  } catch (thrown) {
    return { ok: false, text: DiscoError.from(thrown).message }
  } finally {
    clearTimeout(late)
    clearTimeout(killing)
  }
}
