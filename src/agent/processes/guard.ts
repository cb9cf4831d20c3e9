import type { SpawnOptions } from 'node:child_process'
import { DiscoError } from '../../domain/errors.js'
import type { GuardResult } from '../shift-steps.js'
import { runInGroup } from './group-run.js'

/**
 * Runs a guard command, which passes if its exit code is 0. It runs in a process group of its own, which is ended after
 * `timeoutMs` or when `signal` aborts. Child processes that remain when the command ends are ended too. Its output goes to
 * standard error. Never rejects.
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
      // The timeout is for the command, not for child processes that remain after it.
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
