import { isIP } from 'node:net'
import { checkServerIdentity } from 'node:tls'
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js'
import type { FileSource } from '../domain/file-source.js'
import { type PemFiles, type Renewable, readPems, renewable } from '../net/files.js'

export type { PemFiles, Renewable }

/** The flags that name a client certificate and its key, for messages. */
const CLIENT_CERTIFICATE_FLAGS = '--tls-cert and --tls-key'

/** TLS settings of the connections to backends. */
export interface BackendTls {
  readonly credentials: ChannelCredentials
  readonly options: ChannelOptions
  /** The file of the client certificate; undefined if the client has no certificate. */
  readonly certFile: FileSource | undefined
}

/**
 * Reads certificate files into credentials and channel options.
 *
 * @param name the name that a server's certificate must contain; by default the channel's authority
 * @throws DiscoError USAGE for a file that cannot be read or parsed, or a key that does not belong to its certificate
 */
export async function readBackendTls(files: PemFiles, name: string | undefined): Promise<BackendTls> {
  const pems = await readPems(files, CLIENT_CERTIFICATE_FLAGS)
  // SNI must not contain an IP address (RFC 6066, section 3), so an address is only compared with the certificate.
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

/**
 * {@link readBackendTls} with a result that can be read again after the files have changed.
 *
 * @throws DiscoError USAGE
 */
export async function openBackendTls(
  files: PemFiles,
  name: string | undefined,
): Promise<Renewable<BackendTls>> {
  return await renewable(() => readBackendTls(files, name))
}

type Certificate = Parameters<typeof checkServerIdentity>[1]
