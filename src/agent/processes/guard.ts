import type { SpawnOptions } from 'node:child_process'
import { DiscoError } from '../../domain/errors.js'
import type { GuardResult } from '../shift-steps.js'
import { runInGroup } from './group-run.js'

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
  const stop = new AbortController()
  const end = () => stop.abort()
  let isLate = false
  const late = setTimeout(() => {
    isLate = true
    end()
  }, timeoutMs)
  signal.addEventListener('abort', end)
  if (signal.aborted) end()
  try {
    const stdio: SpawnOptions['stdio'] = ['ignore', 2, 2]
    const options = { stdio, env: { ...process.env, ...env } }
    const { code } = await runInGroup(command, options, { stop: stop.signal, killNow }, (child) =>
      // The time is the command's, not that of processes which it has left behind.
      child.once('exit', () => clearTimeout(late)),
    )
    if (isLate) return { ok: false, text: `did not end in ${timeoutMs / 1000}s` }
    return { ok: code === 0, text: `exit code ${code}` }
  } catch (thrown) {
    return { ok: false, text: DiscoError.from(thrown).message }
  } finally {
    signal.removeEventListener('abort', end)
    clearTimeout(late)
  }
}
