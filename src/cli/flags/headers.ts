import { Flags } from '@oclif/core'
import { withoutSecrets } from '../../domain/address.js'
import { DiscoError } from '../../domain/errors.js'
import type { Headers } from '../../grpc/protocol.js'
import { parsedBy, readBy } from './custom.js'
import { fileNamedIn, readText } from './standard-input.js'

/** Headers of requests to servers. */
export const headerFlags = {
  header: Flags.custom<HeaderSource>({ parse: parsedBy(headerSource) })({
    char: 'H',
    helpGroup: 'REQUEST',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'KEY=VALUE|@FILE|@-',
    description: 'a header, or a file with one per line; base64 for keys that end in -bin',
  }),
  authority: Flags.custom<string>({
    parse: readBy(
      (text) => (/^[!-~]+$/.test(text) ? text : undefined),
      'a host in ASCII without spaces, such as hello.example:443',
      withoutSecrets,
    ),
  })({
    helpGroup: 'REQUEST',
    helpValue: 'HOST[:PORT]',
    description: "the :authority of calls [default: the service's name]",
  }),
}

/** A header, or the file that `@FILE` names. */
type HeaderSource = Headers[number] | `@${string}`

function headerSource(text: string, flag: string): HeaderSource {
  const file = fileNamedIn(text, flag)
  return file === null ? parseHeader(text, flag) : `@${file}`
}

/** The headers of --header. @throws DiscoError USAGE for a file that cannot be read, or an invalid header in it */
export async function readHeaders(given: readonly HeaderSource[] = []): Promise<Headers> {
  const read = given.map(async (source) =>
    typeof source === 'string' ? headersIn(source.slice(1)) : [source],
  )
  return (await Promise.all(read)).flat()
}

async function headersIn(file: string): Promise<Headers> {
  const text = await readText(file, '--header')
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'))
  return lines.map((line) => parseHeader(line, '--header'))
}

/** Characters that gRPC allows in the name of a header, and in a value that is text. */
const NAME = /^[0-9a-z_.-]+$/
const VALUE = /^[ -~]*$/
/** Headers about a connection, which HTTP/2 forbids (RFC 9113, 8.2.2). gRPC itself writes the only allowed `te`. */
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

/** Reads `key=value`, or `key: value` as in other tools. Errors never contain the value, which may be a secret. */
function parseHeader(header: string, flag: string): Headers[number] {
  const [, key = '', value = ''] = /^([^=:\s]*)\s*(?:=|:)\s*(.*)$/s.exec(header) ?? []
  const name = key.toLowerCase()
  // The error does not contain the text: it may be a value without a key.
  if (!NAME.test(name)) throw invalidHeader(`${flag} has no valid key`)
  const problem = name.startsWith('grpc-')
    ? 'has a key of gRPC’s own'
    : FORBIDDEN.has(name)
      ? 'is not allowed in HTTP/2'
      : name.endsWith('-bin') && !BASE64.test(value)
        ? 'is not base64'
        : !VALUE.test(value)
          ? 'has characters that are not ASCII; a key that ends in -bin takes them as base64'
          : null
  if (problem === null) return [name, value]
  throw invalidHeader(`${flag} "${name}" ${problem}`)
}

function invalidHeader(message: string): DiscoError {
  return new DiscoError('USAGE', message, {
    suggestions: ["Expected key=value, such as -H 'authorization=Bearer …', or -H @FILE with one per line"],
  })
}
