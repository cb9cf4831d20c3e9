import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { endOf, launch, type ProcessEnd } from './child-process.js'

/** How long a group may take to end after SIGTERM. */
const KILL_AFTER_MS = 5_000

/** The end of the last process of a group causes no event, so it is polled. */
const POLL_MS = 20

/** Signals that end a process group. */
export interface GroupStop {
  /** SIGTERM, and SIGKILL after 5 s. */
  readonly stop: AbortSignal
  /** SIGKILL. */
  readonly killNow: AbortSignal
}

/**
 * Runs a command in a process group of its own, so that Ctrl-C on the terminal does not reach it. After the command has
 * ended, its remaining child processes in the group are ended too.
 *
 * @param onStarted called once, before the command is awaited
 * @throws DiscoError USAGE when it cannot be started
 */
export async function runInGroup(
  command: readonly string[],
  options: SpawnOptions,
  { stop, killNow }: GroupStop,
  onStarted: (child: ChildProcess) => unknown = () => undefined,
): Promise<ProcessEnd> {
  const child = await launch(command, { ...options, detached: true })
  const ended = endOf(child)
  let killing: NodeJS.Timeout | undefined
  const kill = () => signalGroup(child.pid, 'SIGKILL')
  const end = () => {
    signalGroup(child.pid, 'SIGTERM')
    killing ??= setTimeout(kill, KILL_AFTER_MS)
  }
  stop.addEventListener('abort', end)
  killNow.addEventListener('abort', kill)
  // Ends the group even if an uncaught exception ends this process.
  process.on('exit', kill)
  try {
    onStarted(child)
    if (stop.aborted) end()
    if (killNow.aborted) kill()
    const result = await ended
    clearTimeout(killing)
    await endRest(child.pid, KILL_AFTER_MS, killNow)
    return result
  } finally {
    process.off('exit', kill)
    stop.removeEventListener('abort', end)
    killNow.removeEventListener('abort', kill)
    clearTimeout(killing)
  }
}

/** Sends a signal to a process group. @returns whether it still has a process */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal)
    return true
  } catch (thrown) {
    // EPERM: the group has a process of another user.
    return (thrown as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Ends the remaining processes of a group whose leader has ended: SIGTERM, then SIGKILL after `graceMs`, or at once when
 * `killNow` aborts.
 */
async function endRest(group: number, graceMs: number, killNow: AbortSignal): Promise<void> {
  if (!signalGroup(group, 'SIGTERM')) return
  for (let waited = 0; waited < graceMs && !killNow.aborted; waited += POLL_MS) {
    await delay(POLL_MS)
    if (!signalGroup(group, 0)) return
  }
  signalGroup(group, 'SIGKILL')
}
