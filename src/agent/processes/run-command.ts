import { endOf, launch } from './launch.js'

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
  const child = await launch(command, { stdio: 'inherit', env: { ...process.env, ...env } })
  const end = () => child.kill('SIGTERM')
  stop.addEventListener('abort', end)
  try {
    return (await endOf(child)).code
  } finally {
    stop.removeEventListener('abort', end)
  }
}
