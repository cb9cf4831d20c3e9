import type { Interfaces } from '@oclif/core'
import { answerLines } from './answer.js'
import { cachedRun } from './cached-run.js'
import { type Ask, candidatesAt } from './candidates.js'
import { type Position, positionIn } from './expected.js'
import { wordsOf } from './line.js'
import type { Shell } from './scripts.js'

/** Milliseconds since the start of the process: a completion takes less than 400 ms in all. */
const DEADLINE_MS = 320

/** Limits for a run in the background: a later completion starts another. */
const LIMITS = ['--dial-timeout', '1s', '--command-timeout', '3s', '-o', 'json']

/** Flags that decide which registry is asked. */
const CONNECTION = [
  'context',
  'endpoints',
  'cacert',
  'cert',
  'key',
  'user',
  'password-file',
  'layout',
  'root',
]

/** Flags of `call` that decide how methods are found. */
const BACKEND = [
  'tls',
  'tls-ca',
  'tls-cert',
  'tls-key',
  'tls-name',
  'authority',
  'proto',
  'import-path',
  'protoset',
]

/**
 * The answer to a shell's script. Never throws: a failure is no reason to disturb the line that a user is typing.
 *
 * @param line the command line up to the cursor, beginning with the program
 */
export async function completionLines(
  shell: Shell,
  line: string,
  { config, breaks }: { readonly config: Interfaces.Config; readonly breaks: string | undefined },
): Promise<readonly string[]> {
  try {
    const position = positionIn(wordsOf(line), config)
    const candidates = await candidatesAt(position, config, process.env, askCached)
    return answerLines(shell, position, candidates, breaks)
  } catch {
    return ['words']
  }
}

const askCached: Ask = async ([command = '', ...args], { flags }: Position) => {
  const names = command === 'call' ? [...CONNECTION, ...BACKEND] : CONNECTION
  const given = names.flatMap((name) =>
    (flags.get(name) ?? []).flatMap((value) =>
      value === undefined ? [`--${name}`] : [`--${name}=${value}`],
    ),
  )
  // Standard input belongs to the shell.
  if (given.some((flag) => flag.endsWith('=-'))) return null
  const argv = [command, ...args, ...given, ...LIMITS]
  return await cachedRun({ argv, env: process.env, deadlineMs: DEADLINE_MS })
}
