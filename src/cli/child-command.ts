import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { DiscoError } from '../domain/errors.js'

/** The words before and after the first `--`: oclif drops it, and with it the difference. */
export function splitCommand(argv: readonly string[]): { own: string[]; command: string[] } {
  const at = argv.indexOf('--')
  return at < 0 ? { own: [...argv], command: [] } : { own: argv.slice(0, at), command: argv.slice(at + 1) }
}

/**
 * Runs a command on our own terminal and resolves with its exit code, 128 + the signal's number if it died of
 * one. The terminal's Ctrl-C reaches it by itself; `stop` ends it for any other reason.
 *
 * @throws DiscoError USAGE when it cannot be started
 */
export async function runCommand(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  stop: AbortSignal,
): Promise<number> {
  const [file = '', ...args] = command
  const child = spawn(file, args, { stdio: 'inherit', env: { ...process.env, ...env } })
  const end = () => child.kill('SIGTERM')
  stop.addEventListener('abort', end)
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return code ?? 128 + (signal ? constants.signals[signal] : 0)
  } catch (cause) {
    throw new DiscoError('USAGE', `Cannot run ${file}: ${(cause as Error).message}`, { cause })
  } finally {
    stop.removeEventListener('abort', end)
  }
}
