import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { DiscoError } from '../domain/errors.js'

export interface PemFiles {
  readonly caFile?: string | undefined
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
}

/** What the files hold, checked. */
export interface Pems {
  readonly ca: Buffer | undefined
  readonly cert: Buffer | undefined
  readonly key: Buffer | undefined
}

/**
 * Null where no file is named.
 *
 * @param both the flags of the certificate and its key, for the message when one is missing
 * @throws DiscoError USAGE for a file that cannot be read, or a key that is another certificate's
 */
export async function readPems({ caFile, certFile, keyFile }: PemFiles, both: string): Promise<Pems | null> {
  if (!certFile !== !keyFile) throw new DiscoError('USAGE', `A client certificate needs both ${both}`)
  if (!caFile && !certFile) return null
  const [ca, cert, key] = await Promise.all([
    readPem(caFile, 'certificate', (pem) => new X509Certificate(pem)),
    readPem(certFile, 'certificate', (pem) => new X509Certificate(pem)),
    readPem(keyFile, 'private key', createPrivateKey),
  ])
  if (cert && key && !cert.parsed.checkPrivateKey(key.parsed)) {
    throw new DiscoError('USAGE', `The key in ${keyFile} does not belong to the certificate in ${certFile}`)
  }
  return { ca: ca?.pem, cert: cert?.pem, key: key?.pem }
}

/** Whether the certificate in a file is past its end, for the message about one that was refused; false if unreadable. */
export function hasExpired(certFile: string, nowMs: number): boolean {
  try {
    return Date.parse(new X509Certificate(readFileSync(certFile)).validTo) < nowMs
  } catch {
    // The file may have been replaced or removed meanwhile: the refusal itself is what there is to report.
    return false
  }
}

async function readPem<Parsed>(
  file: string | undefined,
  what: string,
  parse: (pem: Buffer) => Parsed,
): Promise<{ pem: Buffer; parsed: Parsed } | undefined> {
  if (!file) return undefined
  const pem = await readFile(file).catch((cause: Error) => {
    throw new DiscoError('USAGE', `Cannot read ${file}: ${cause.message}`, { cause })
  })
  try {
    return { pem, parsed: parse(pem) }
  } catch (cause) {
    throw new DiscoError('USAGE', `${file} holds no PEM ${what} that can be read`, { cause })
  }
}
