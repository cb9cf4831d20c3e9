import { isIP } from 'node:net'
import { checkServerIdentity } from 'node:tls'
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js'
import type { FileSource } from '../domain/file-source.js'
import { type PemFiles, type Renewable, readPems, renewable } from '../net/files.js'

export type { PemFiles, Renewable }

/** The flags of a client certificate. */
const CLIENT_CERTIFICATE_FLAGS = '--tls-cert and --tls-key'

/** How to dial backends with TLS. */
export interface BackendTls {
  readonly credentials: ChannelCredentials
  readonly options: ChannelOptions
  /** The file of the client certificate, if there is one. */
  readonly certFile: FileSource | undefined
}

/**
 * Reads the credentials and channel options from certificate files.
 *
 * @param name the expected name in the certificates; by default the channel's authority, the service's name
 * @throws DiscoError USAGE for unusable files
 */
export async function readBackendTls(files: PemFiles, name: string | undefined): Promise<BackendTls> {
  const pems = await readPems(files, CLIENT_CERTIFICATE_FLAGS)
  // SNI must not contain an IP address (RFC 6066, 3): it is only compared with the certificate.
  const isAddress = name !== undefined && isIP(name) !== 0
  const verify = isAddress
    ? { checkServerIdentity: (_: string, certificate: Certificate) => checkServerIdentity(name, certificate) }
    : {}
  return {
    credentials: credentials.createSsl(pems?.ca, pems?.key, pems?.cert, verify),
    certFile: files.certFile,
    options: name === undefined || isAddress ? {} : { 'grpc.ssl_target_name_override': name },
  }
}

/** {@link readBackendTls} that can be repeated when the files change. @throws DiscoError USAGE */
export async function openBackendTls(
  files: PemFiles,
  name: string | undefined,
): Promise<Renewable<BackendTls>> {
  return await renewable(() => readBackendTls(files, name))
}

type Certificate = Parameters<typeof checkServerIdentity>[1]
