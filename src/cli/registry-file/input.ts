import { createReadStream } from 'node:fs'
import { DiscoError } from '../../domain/errors.js'
import type { NamedFile } from '../../domain/file-source.js'
import { systemMessage } from '../../domain/system-message.js'
import { inputName, STANDARD_INPUT } from '../flags/standard-input.js'

/** The maximum length: that of a million endpoints as JSON. Longer input is probably not a registry file. */
const MAX_BYTES = 256 * 1024 * 1024

/** A registry file that was read, and its name in messages. */
export interface FileText {
  readonly name: string
  readonly text: string
}

/**
 * Reads the text of a file (a pipe is allowed), or of standard input if the path is `-`.
 *
 * @throws DiscoError USAGE if it cannot be read, is too long or not UTF-8
 */
export async function readFileText(file: NamedFile): Promise<FileText> {
  const { path } = file
  const name = path === '-' ? STANDARD_INPUT : path
  const pieces: Buffer[] = []
  let bytes = 0
  try {
    for await (const piece of path === '-' ? process.stdin : createReadStream(path)) {
      bytes += (piece as Buffer).length
      if (bytes > MAX_BYTES) throw new Error(`it is longer than ${MAX_BYTES} bytes`)
      pieces.push(piece as Buffer)
    }
  } catch (cause) {
    throw new DiscoError('USAGE', `Cannot read ${inputName(file)}: ${systemMessage(cause)}`, { cause })
  }
  try {
    return { name, text: new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces)) }
  } catch (cause) {
    throw new DiscoError('USAGE', `${name} is not UTF-8 text`, {
      cause,
      suggestions: ['In PowerShell: disco export | Out-File -Encoding utf8 FILE'],
    })
  }
}
