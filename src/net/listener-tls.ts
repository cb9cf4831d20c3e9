import type { SecureServerOptions } from 'node:http2'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { DiscoError } from '../domain/errors.js'
import { givenPems, type PemFiles, type Pems, readPems } from './files.js'

/**
 * Reads a listener's TLS options: its certificate, and whether callers need one.
 *
 * @param files the certificate and its key; with a CA, callers must present a certificate that the CA has signed
 * @returns null if no file is named: the listener then speaks plaintext
 * @throws DiscoError USAGE for files that cannot be used
 */
export async function readListenerTls(files: PemFiles): Promise<SecureServerOptions | null> {
  if (!requirePair(files)) return null
  const pems = await readPems(files, '--listen-cert and --listen-key')
  if (!pems) return null
  requireUsable(pems, '--listen-cert')
  return secureOptions(pems)
}

/**
 * Whether a listener speaks TLS. A certificate needs its key, and a CA needs both.
 *
 * @throws DiscoError USAGE if one of these files is missing
 */
export function requirePair({ caFile, certFile, keyFile }: PemFiles): boolean {
  if (!certFile && !keyFile) {
    if (!caFile) return false
    throw new DiscoError('USAGE', '--listen-client-ca needs --listen-cert and --listen-key')
  }
  if (certFile && keyFile) return true
  throw new DiscoError('USAGE', 'TLS to callers needs both --listen-cert and --listen-key')
}

/**
 * Checks that OpenSSL accepts the files. It refuses some readable ones, for example those with a key that is too short.
 *
 * @throws DiscoError USAGE
 */
export function requireUsable(pems: SecureContextOptions | Pems, flag: string): void {
  try {
    createSecureContext(givenPems(pems))
  } catch (cause) {
    const why = (cause as Error).message
    throw new DiscoError('USAGE', `The files of ${flag} cannot be used: ${why}`, { cause })
  }
}

function secureOptions(pems: Pems): SecureServerOptions {
  return { ...givenPems(pems), ...(pems.ca && { requestCert: true, rejectUnauthorized: true }) }
}
