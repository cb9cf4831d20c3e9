import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js'
import type { FileSource } from '../domain/file-source.js'
import { CLIENT_CERTIFICATE_FLAGS, expectName } from '../net/client-tls.js'
import { type PemFiles, type Renewable, readPems, renewable } from '../net/files.js'

export type { PemFiles, Renewable }

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
  const { servername = '', ...verify } = name === undefined ? {} : expectName(name)
  return {
    credentials: credentials.createSsl(pems?.ca, pems?.key, pems?.cert, verify),
    certFile: files.certFile,
    options: servername === '' ? {} : { 'grpc.ssl_target_name_override': servername },
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
