import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, constants as fileModes, stat } from 'node:fs/promises'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { DiscoError } from '../../domain/errors.js'
import { systemMessage } from '../../domain/system-message.js'

/** End of a process. */
export interface ProcessEnd {
  /** Exit code; 128 + the number of the signal that ended the process, as in shells. */
  readonly code: number
  readonly signal: NodeJS.Signals | null
}

/** @throws DiscoError USAGE when the command cannot be started */
export async function launch(
  [file = '', ...args]: readonly string[],
  options: SpawnOptions,
): Promise<ChildProcess & { readonly pid: number }> {
  try {
    const child = spawn(file, args, options)
    if (child.pid === undefined) await once(child, 'spawn')
    return child as ChildProcess & { readonly pid: number }
  } catch (cause) {
    throw cannotRun(file, cause)
  }
}

/** Checks that a program can be started, as `launch` would find it. @throws DiscoError USAGE */
export async function requireProgram(file: string): Promise<void> {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const paths = file.includes('/') ? [file] : folders.map((folder) => join(folder, file))
  const faults = await Promise.all(paths.map(faultOf))
  if (faults.includes(null)) return
  // A file that may not be executed explains the failure better than its absence from other folders.
  const isDenied = (fault: unknown) => (fault as NodeJS.ErrnoException).code === 'EACCES'
  throw cannotRun(file, faults.find(isDenied) ?? faults[0])
}

async function faultOf(path: string): Promise<unknown> {
  try {
    await access(path, fileModes.X_OK)
    if ((await stat(path)).isFile()) return null
    return Object.assign(new Error('it is a folder'), { code: 'EACCES' })
  } catch (fault) {
    return fault
  }
}

function cannotRun(file: string, cause: unknown): DiscoError {
  return new DiscoError('USAGE', `Cannot run ${file}: ${systemMessage(cause)}`, {
    cause,
    suggestions: [remedyFor(file, (cause as NodeJS.ErrnoException).code)],
  })
}

function remedyFor(file: string, code: string | undefined): string {
  if (code === 'EACCES') return 'A program must be a file that may be executed: chmod +x FILE, or sh FILE'
  if (code === 'ELOOP') return 'Its symbolic links lead in a circle: ls -l FILE'
  if (code !== 'ENOENT') return 'After -- give the program and its arguments'
  return file.includes('/')
    ? 'Check the path. For a script, the interpreter in its first line must exist too'
    : 'No folder of PATH has it: give its path, such as ./server'
}

/** Resolves when the process ends. Must be called before the process can end: a later call never resolves. */
export function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code: code ?? 128 + (signal ? constants.signals[signal] : 0), signal })
    })
  })
}

/**
 * Runs a command on our own terminal and resolves with its exit code, or with 128 + the number of the signal that ended
 * it. Ctrl-C on the terminal reaches it directly; `stop` sends it SIGTERM.
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
