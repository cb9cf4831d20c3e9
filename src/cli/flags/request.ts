import { Flags, type Interfaces } from '@oclif/core'
import type { Texts } from '../../call/content.js'
import { parseJson } from '../../call/messages.js'
import { DiscoError } from '../../domain/errors.js'
import { firstLossy } from '../../domain/exact-json.js'
import { isNamedFile, type NamedFile } from '../../domain/file-source.js'
import { fileFlag, parsedBy } from './custom.js'
import { headerFlags, readHeaders } from './headers.js'
import { fileNamedIn, inputName, readText } from './standard-input.js'

/** The content of calls, and the description of their methods. */
export const requestFlags = {
  data: Flags.custom<string | NamedFile>({ parse: parsedBy(readData) })({
    char: 'd',
    helpGroup: 'REQUEST',
    default: '{}',
    helpValue: 'JSON|@FILE|-',
    description:
      'the message, or one per line; may contain {{n}}, {{uuid}} and {{now}}; - sends each as it is typed or piped',
  }),
  ...headerFlags,
  'reflect-headers': Flags.boolean({
    helpGroup: 'REQUEST',
    allowNo: true,
    default: true,
    description: 'also send the headers with server reflection',
  }),
  proto: fileFlag({
    helpGroup: 'REQUEST',
    helpValue: 'FILE|-',
    description: 'description of the methods, instead of server reflection',
  }),
  'import-path': Flags.string({
    helpGroup: 'REQUEST',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'DIR',
    description: 'folder of the imports of --proto',
  }),
  protoset: fileFlag({
    helpGroup: 'REQUEST',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'FILE|-',
    exclusive: ['proto'],
    description: 'descriptor set of the methods, as written by `protoc -o` or `buf build -o`',
  }),
  'service-config': fileFlag({
    helpGroup: 'REQUEST',
    helpValue: 'FILE|-',
    description: 'a gRPC service config in JSON: retries and deadlines, by method',
  }),
}

/** The data, or the file that has them: `@FILE`, `@-` or `-`. @throws DiscoError USAGE for `@` without a file name */
export function readData(text: string, flag: string): string | NamedFile {
  return fileNamedIn(text === '-' ? '@-' : text, flag) ?? text
}

type RequestFlags = Interfaces.InferredFlags<typeof requestFlags>

type TextFlags = Pick<RequestFlags, 'data'> &
  Partial<Pick<RequestFlags, 'header'>> & { readonly 'hash-key'?: string | undefined }

/** Whether the data come from standard input. */
export function isFromInput({ data }: Pick<TextFlags, 'data'>): boolean {
  return isNamedFile(data) && data.path === '-'
}

/**
 * Reads the data and headers that the flags give.
 *
 * @param isLive whether data from standard input are read later, as they arrive; `data` is then empty
 * @throws DiscoError USAGE for a file that cannot be read, or an invalid header
 */
export async function textsOf(flags: TextFlags, isLive: boolean): Promise<Texts> {
  const data = isLive ? '' : isNamedFile(flags.data) ? await readText(flags.data) : flags.data
  return { data, headers: await readHeaders(flags.header), hashKey: flags['hash-key'] ?? null }
}

const EXAMPLE_SERVICE_CONFIG = '{"methodConfig": [{"name": [{}], "timeout": "2s"}]}'

/** Reads the file of --service-config. @throws DiscoError USAGE if it cannot be read, or is not a JSON object */
export async function readServiceConfig(file: NamedFile): Promise<Readonly<Record<string, unknown>>> {
  const name = inputName(file)
  const config: unknown = parseJson(await readText(file), name, EXAMPLE_SERVICE_CONFIG)
  const lossy = firstLossy(config)
  if (lossy) throw new DiscoError('USAGE', `${name}: the number ${lossy.text} does not fit into a double`)
  if (typeof config === 'object' && config !== null && !Array.isArray(config)) {
    return config as Readonly<Record<string, unknown>>
  }
  throw new DiscoError('USAGE', `${name} has no service config: it is not a JSON object`, {
    suggestions: [`Example: ${EXAMPLE_SERVICE_CONFIG}`],
  })
}
