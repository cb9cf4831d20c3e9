import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { DiscoError, invalidValue } from '../../domain/errors.js'
import {
  isNamedFile,
  type NamedFile,
  type ReadContent,
  sourceName,
  withoutMark,
} from '../../domain/file-source.js'
import { systemMessage } from '../../domain/system-message.js'

/** Flags with a text, in which a file is `@FILE`. */
const TEXT_FLAGS = ['data', 'header']

/** Standard input can be read once. @throws DiscoError USAGE if two flags, or one flag twice, would read it */
export function refuseSecondReader(flags: Readonly<Record<string, unknown>>): void {
  const [first, second] = Object.entries(flags).flatMap(([name, values]) =>
    [values]
      .flat()
      .filter((value) => isNamedFile(value) && value.path === '-')
      .map(() => `--${name} ${TEXT_FLAGS.includes(name) ? '@-' : '-'}`),
  )
  if (first === undefined || second === undefined) return
  const problem =
    first === second
      ? `${first} is given twice: standard input can be read once`
      : `${first} and ${second} both read standard input, which can be read once`
  throw new DiscoError('USAGE', problem, { suggestions: ['Put one of them into a file'] })
}

/** The name of standard input in messages. */
export const STANDARD_INPUT = 'standard input'

/** The name in messages of the file that a flag names. */
export function inputName(file: NamedFile): string {
  return file.path === '-' ? STANDARD_INPUT : sourceName(file)
}

/** The file that `@FILE` names; null for any other text. @throws DiscoError USAGE for `@` alone */
export function fileNamedIn(text: string, flag: string): NamedFile | null {
  if (text === '@') throw invalidValue(flag, text, 'a file name after @')
  return text.startsWith('@') ? { path: text.slice(1), source: flag } : null
}

/** The file that a flag names, or, for `-`, the content of standard input. @throws DiscoError USAGE */
export async function sourceOf(file: NamedFile): Promise<NamedFile | ReadContent>
export async function sourceOf(file: NamedFile | undefined): Promise<NamedFile | ReadContent | undefined>
export async function sourceOf(file: NamedFile | undefined): Promise<NamedFile | ReadContent | undefined> {
  if (file?.path !== '-') return file
  try {
    return { name: STANDARD_INPUT, content: await buffer(process.stdin) }
  } catch (cause) {
    throw cannotRead(STANDARD_INPUT, cause)
  }
}

/** The text of a file, or, for `-`, of standard input; without a byte order mark. @throws DiscoError USAGE */
export async function readText(file: NamedFile): Promise<string> {
  const source = await sourceOf(file)
  if ('content' in source) return withoutMark(source.content.toString())
  try {
    return withoutMark(await readFile(source.path, 'utf8'))
  } catch (cause) {
    throw cannotRead(sourceName(source), cause)
  }
}

/**
 * The password on standard input, without its line end.
 *
 * @throws DiscoError USAGE if standard input is empty, for example because the command before the pipe failed
 */
export async function pipedPassword(file: NamedFile): Promise<string> {
  const password = (await readText(file)).replace(/\r?\n$/, '')
  if (password !== '') return password
  throw new DiscoError('USAGE', `${file.source} - read no password: standard input is empty`)
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
