import { Flags } from '@oclif/core'
import { withoutSecrets } from '../../domain/address.js'
import { DiscoError } from '../../domain/errors.js'
import { isNamedFile, type NamedFile } from '../../domain/file-source.js'
import type { Headers } from '../../grpc/protocol.js'
import { parsedBy, readBy } from './custom.js'
import { fileNamedIn, inputName, readText } from './standard-input.js'

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
type HeaderSource = Headers[number] | NamedFile

function headerSource(text: string, flag: string): HeaderSource {
  return fileNamedIn(text, flag) ?? parseHeader(text, flag)
}

/** The headers of --header. @throws DiscoError USAGE for a file that cannot be read, or an invalid header in it */
export async function readHeaders(given: readonly HeaderSource[] = []): Promise<Headers> {
  const read = given.map(async (source) => (isNamedFile(source) ? await headersIn(source) : [source]))
  return (await Promise.all(read)).flat()
}

async function headersIn(file: NamedFile): Promise<Headers> {
  const name = inputName(file)
  const lines = (await readText(file)).split(/\r?\n/)
  const isHeader = (line: string) => line.trim() !== '' && !line.startsWith('#')
  return lines.flatMap((line, index) =>
    isHeader(line) ? [parseHeader(line, `${name}, line ${index + 1},`)] : [],
  )
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
function parseHeader(header: string, source: string): Headers[number] {
  const [, key = '', value = ''] = /^([^=:\s]*)\s*(?:=|:)\s*(.*)$/s.exec(header) ?? []
  const name = key.toLowerCase()
  // The error does not contain the text: it may be a value without a key.
  if (!NAME.test(name)) throw invalidHeader(`${source} has no valid key`)
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
  throw invalidHeader(`${source} "${name}" ${problem}`)
}

function invalidHeader(message: string): DiscoError {
  return new DiscoError('USAGE', message, {
    suggestions: ["Expected key=value, such as -H 'authorization=Bearer …', or -H @FILE with one per line"],
  })
}
