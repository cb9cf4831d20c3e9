import { Flags, type Interfaces } from '@oclif/core'
import type { Texts } from '../../call/content.js'
import { parseJson } from '../../call/messages.js'
import { DiscoError } from '../../domain/errors.js'
import { firstLossy } from '../../domain/exact-json.js'
import { readBy, textFlag } from './custom.js'
import { inputName, readText } from './standard-input.js'

/** What calls send, and what describes it. */
export const requestFlags = {
  data: Flags.string({
    char: 'd',
    helpGroup: 'REQUEST',
    default: '{}',
    helpValue: 'JSON|@FILE|@-',
    description: 'the message, or several, one a line; may have {{n}}, {{uuid}} and {{now}}',
  }),
  header: Flags.string({
    char: 'H',
    helpGroup: 'REQUEST',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'KEY=VALUE|@FILE|@-',
    description: 'a header, or a file of them, one a line; base64 where the key ends in -bin',
  }),
  'reflect-headers': Flags.boolean({
    helpGroup: 'REQUEST',
    allowNo: true,
    default: true,
    description: 'send the headers with server reflection, too',
  }),
  authority: Flags.custom<string>({
    parse: readBy((text) => (/^[!-~]+$/.test(text) ? text : undefined), 'a host such as hello.example:443'),
  })({
    helpGroup: 'REQUEST',
    helpValue: 'HOST[:PORT]',
    description: "the :authority of calls [default: the service's name]",
  }),
  proto: textFlag({
    helpGroup: 'REQUEST',
    helpValue: 'FILE|-',
    description: 'describes the method where the server does not',
  }),
  'import-path': Flags.string({
    helpGroup: 'REQUEST',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'DIR',
    description: 'where imports of --proto are found',
  }),
  protoset: textFlag({
    helpGroup: 'REQUEST',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'FILE|-',
    exclusive: ['proto'],
    description: 'describes the method by descriptor sets, as `protoc -o` and `buf build -o` write them',
  }),
  'service-config': textFlag({
    helpGroup: 'REQUEST',
    helpValue: 'FILE|-',
    description: 'a gRPC service config in JSON: retries and deadlines, by method',
  }),
}

type TextFlags = Pick<Interfaces.InferredFlags<typeof requestFlags>, 'data' | 'header'> & {
  readonly 'hash-key'?: string | undefined
}

/** @throws DiscoError USAGE for a file that cannot be read, or a header that is none */
export async function textsOf(flags: TextFlags): Promise<Texts> {
  const data = flags.data.startsWith('@') ? await read(flags.data.slice(1)) : flags.data
  const lines = await Promise.all(
    (flags.header ?? []).map(async (header) => {
      if (!header.startsWith('@')) return [header]
      const file = await read(header.slice(1))
      return file.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'))
    }),
  )
  return { data, headers: lines.flat().map(parseHeader), hashKey: flags['hash-key'] ?? null }
}

/** Characters that gRPC allows in the name of a header, and in the value of one that is text. */
const NAME = /^[0-9a-z_.-]+$/
const VALUE = /^[ -~]*$/
/** Headers of one connection, which HTTP/2 forbids (RFC 9113, 8.2.2). gRPC writes the only `te` that it allows. */
const FORBIDDEN = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/** `key=value`, or `key: value` as other tools write it. A value never stands in a message: it may be a secret. */
function parseHeader(header: string): [name: string, value: string] {
  const [, key = '', value = ''] = /^([^=:\s]*)\s*(?:=|:)\s*(.*)$/s.exec(header) ?? []
  const name = key.toLowerCase()
  const problem =
    name === '' || !NAME.test(name)
      ? 'has no valid key'
      : name.startsWith('grpc-')
        ? 'has a key of gRPC’s own'
        : FORBIDDEN.has(name)
          ? 'is not allowed in HTTP/2'
          : name.endsWith('-bin') && !BASE64.test(value)
            ? 'is not base64'
            : !VALUE.test(value)
              ? 'has characters that are not ASCII; a key that ends in -bin takes them as base64'
              : null
  if (problem === null) return [name, value]
  throw new DiscoError('USAGE', `${name === '' ? 'A header' : `The header "${name}"`} ${problem}`, {
    suggestions: ["Expected key=value, such as -H 'authorization=Bearer …', or -H @FILE with one a line"],
  })
}

/** @throws DiscoError USAGE for a file that cannot be read, or is no object in JSON */
export async function readServiceConfig(file: string): Promise<Readonly<Record<string, unknown>>> {
  const name = inputName(file)
  const config: unknown = parseJson(await read(file), name)
  const lossy = firstLossy(config)
  if (lossy) throw new DiscoError('USAGE', `${name}: the number ${lossy.text} does not fit into a double`)
  if (typeof config === 'object' && config !== null && !Array.isArray(config)) {
    return config as Readonly<Record<string, unknown>>
  }
  throw new DiscoError('USAGE', `${name} has no service config: it is not a JSON object`)
}

async function read(file: string): Promise<string> {
  if (file === '')
    throw new DiscoError('USAGE', 'A file name is missing', { suggestions: ['Such as -d @FILE'] })
  return await readText(file)
}
