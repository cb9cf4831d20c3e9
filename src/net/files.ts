import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { SecureContextOptions } from 'node:tls'
import { DiscoError } from '../domain/errors.js'
import { type FileSource, pathOf, type ReadContent, sourceName } from '../domain/file-source.js'
import { systemMessage } from '../domain/system-message.js'

export interface PemFiles {
  readonly caFile?: FileSource | undefined
  readonly certFile?: FileSource | undefined
  readonly keyFile?: FileSource | undefined
}

/** The checked contents of the files. */
export interface Pems {
  readonly ca: Buffer | undefined
  readonly cert: Buffer | undefined
  readonly key: Buffer | undefined
}

/**
 * Reads and checks the files. Null if neither a CA nor a certificate is named.
 *
 * @param both the flags of the certificate and its key, for the message when one is missing
 * @throws DiscoError USAGE for a file that cannot be read, or a key that does not belong to the certificate
 */
export async function readPems({ caFile, certFile, keyFile }: PemFiles, both: string): Promise<Pems | null> {
  if (!certFile !== !keyFile) throw new DiscoError('USAGE', `A client certificate needs both ${both}`)
  if (!caFile && !certFile) return null
  const [ca, cert, key] = await Promise.all([
    readPem(caFile, 'certificate', (pem) => new X509Certificate(pem)),
    readPem(certFile, 'certificate', (pem) => new X509Certificate(pem)),
    readPem(keyFile, 'private key', createPrivateKey),
  ])
  if (certFile && keyFile && cert && key && !cert.parsed.checkPrivateKey(key.parsed)) {
    const [keyName, certName] = [keyFile, certFile].map(sourceName)
    throw new DiscoError('USAGE', `The key in ${keyName} does not belong to the certificate in ${certName}`)
  }
  return { ca: ca?.pem, cert: cert?.pem, key: key?.pem }
}

/** The contents that there are, for Node's TLS options, which take no undefined ones. */
export function givenPems({ ca, cert, key }: SecureContextOptions | Pems): SecureContextOptions {
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
}

/** Whether the certificate in a file has expired, to explain its refusal; false if the file is unreadable. */
export function hasExpired(certFile: FileSource, nowMs: number): boolean {
  try {
    const path = pathOf(certFile)
    const pem = path === null ? (certFile as ReadContent).content : readFileSync(path)
    return Date.parse(new X509Certificate(pem).validTo) < nowMs
  } catch {
    // The file may have been replaced or removed meanwhile: the refusal is reported without this detail.
    return false
  }
}

/** The content of a source; a file is read now. */
export async function readSource(source: FileSource): Promise<Buffer> {
  if (typeof source === 'string') return await readFile(source)
  return 'path' in source ? await readFile(source.path) : source.content
}

async function readPem<Parsed>(
  file: FileSource | undefined,
  what: string,
  parse: (pem: Buffer) => Parsed,
): Promise<{ pem: Buffer; parsed: Parsed } | undefined> {
  if (!file) return undefined
  const pem = await readSource(file).catch((cause: Error) => {
    throw new DiscoError('USAGE', `Cannot read ${sourceName(file)}: ${systemMessage(cause)}`, { cause })
  })
  try {
    return { pem, parsed: parse(pem) }
  } catch (cause) {
    throw new DiscoError('USAGE', `${sourceName(file)} is not a PEM ${what} that can be read`, { cause })
  }
}

/** Content of files that can be read again: certificates are renewed on disk while a process runs. */
export interface Renewable<Value> {
  /** The value that was last read. */
  readonly current: Value
  /** Reads the files again. If they cannot be read, the last value stays. Never rejects. */
  renew(): Promise<void>
}

/** Reads files now, and again at each `renew`. @throws the error of the first read */
export async function renewable<Value>(read: () => Promise<Value>): Promise<Renewable<Value>> {
  let current = await read()
  return {
    get current() {
      return current
    },
    async renew() {
      // A file that is being replaced may be half written: the next failure reads it again.
      current = await read().catch(() => current)
    },
  }
}
