import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { DiscoError, invalidValue } from '../../domain/errors.js'
import { type NamedFile, type ReadContent, sourceName, withoutMark } from '../../domain/file-source.js'
import { systemMessage } from '../../domain/system-message.js'

/** Flags that name a file, or `-` for standard input. */
const FILE_FLAGS = [
  'cacert',
  'cert',
  'key',
  'password-file',
  'tls-ca',
  'tls-cert',
  'tls-key',
  'admin-token-file',
  'service-config',
  'proto',
  'protoset',
  'counts',
  'file',
]

/** Flags that take a text, `@FILE`, or `@-` for standard input; --data takes `-` as well. */
const TEXT_FLAGS = ['data', 'header']

/** Standard input can be read once. @throws DiscoError USAGE if two flags, or one flag twice, would read it */
export function refuseSecondReader(flags: Readonly<Record<string, unknown>>): void {
  const [first, second] = [
    ...readersIn(flags, [...FILE_FLAGS, 'data'], '-'),
    ...readersIn(flags, TEXT_FLAGS, '@-'),
  ]
  if (first === undefined || second === undefined) return
  const problem =
    first === second
      ? `${first} is given twice: standard input can be read once`
      : `${first} and ${second} both read standard input, which can be read once`
  throw new DiscoError('USAGE', problem, { suggestions: ['Put one of them into a file'] })
}

function readersIn(
  flags: Readonly<Record<string, unknown>>,
  names: readonly string[],
  stdin: string,
): string[] {
  return names.flatMap((name) =>
    [flags[name]]
      .flat()
      .filter((value) => value === stdin)
      .map(() => `--${name} ${stdin}`),
  )
}

/** The name of standard input in messages. */
export const STANDARD_INPUT = 'standard input'

/** The name in messages of the file that a flag names. */
export function inputName(file: string, flag: string): string {
  return file === '-' ? STANDARD_INPUT : sourceName({ path: file, source: flag })
}

/** The file that `@FILE` names; null for any other text. @throws DiscoError USAGE for `@` alone */
export function fileNamedIn(text: string, flag: string): string | null {
  if (text === '@') throw invalidValue(flag, text, 'a file name after @')
  return text.startsWith('@') ? text.slice(1) : null
}

/** The file named by a flag, or, for `-`, the content of standard input. @throws DiscoError USAGE */
export async function sourceOf(file: string, flag: string): Promise<NamedFile | ReadContent>
export async function sourceOf(
  file: string | undefined,
  flag: string,
): Promise<NamedFile | ReadContent | undefined>
export async function sourceOf(
  file: string | undefined,
  flag: string,
): Promise<NamedFile | ReadContent | undefined> {
  if (file === undefined) return undefined
  if (file !== '-') return { path: file, source: flag }
  try {
    return { name: inputName(file, flag), content: await buffer(process.stdin) }
  } catch (cause) {
    throw cannotRead(inputName(file, flag), cause)
  }
}

/** The text of a file, or, for `-`, of standard input; without a byte order mark. @throws DiscoError USAGE */
export async function readText(file: string, flag: string): Promise<string> {
  const source = await sourceOf(file, flag)
  if ('content' in source) return withoutMark(source.content.toString())
  try {
    return withoutMark(await readFile(source.path, 'utf8'))
  } catch (cause) {
    throw cannotRead(sourceName(source), cause)
  }
}

/**
 * The text of standard input in pieces, as they arrive, without a byte order mark.
 *
 * @param signal ends the reading early
 * @throws DiscoError USAGE if it cannot be read
 */
export async function* inputPieces(signal: AbortSignal): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  const { stdin } = process
  const close = () => stdin.destroy()
  signal.addEventListener('abort', close)
  try {
    if (!signal.aborted) {
      for await (const bytes of stdin) yield decoder.decode(bytes as Buffer, { stream: true })
    }
  } catch (cause) {
    // After an abort, `close` has destroyed the stream, which ends the loop with an error.
    if (!signal.aborted) throw cannotRead(STANDARD_INPUT, cause)
  } finally {
    signal.removeEventListener('abort', close)
  }
}

function cannotRead(name: string, cause: unknown): DiscoError {
  return new DiscoError('USAGE', `Cannot read ${name}: ${systemMessage(cause)}`, { cause })
}
