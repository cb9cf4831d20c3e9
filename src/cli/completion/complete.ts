import type { Interfaces } from '@oclif/core'
import { REGISTRY_FLAGS } from '../flags/connection-names.js'
import { answerLines } from './answer.js'
import { cachedRun } from './cached-run.js'
import { type Ask, candidatesAt } from './candidates.js'
import { type Position, positionIn } from './expected.js'
import { wordsOf } from './line.js'
import type { Shell } from './scripts.js'

/** In milliseconds since the start of the process. With its output, a completion then takes less than 400 ms. */
const DEADLINE_MS = 320

/** Flags of a command in the background. The timeouts are short, because a later completion starts it again. */
const LIMITS = ['--dial-timeout', '1s', '--command-timeout', '3s', '-o', 'json']

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
 * The answer to a completion script. Never throws: an error message would disturb the line that the user is typing.
 *
 * @param line the command line up to the cursor, including the name of the program
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
  const names = command === 'call' ? [...REGISTRY_FLAGS, ...BACKEND] : REGISTRY_FLAGS
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
