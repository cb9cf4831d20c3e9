import { isIP } from 'node:net'
import { checkServerIdentity } from 'node:tls'
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js'
import type { FileSource } from '../domain/file-source.js'
import { type PemFiles, readPems } from '../net/files.js'

/** How backends are dialled that speak TLS. */
export interface BackendTls {
  readonly credentials: ChannelCredentials
  readonly options: ChannelOptions
  /** Of the client certificate, where one is shown. */
  readonly certFile: FileSource | undefined
}

/**
 * @param name what the certificates are for; without one it is the channel's authority, the service's name
 * @throws DiscoError USAGE for files that cannot be used
 */
export async function readBackendTls(files: PemFiles, name: string | undefined): Promise<BackendTls> {
  const pems = await readPems(files, '--tls-cert and --tls-key')
  // An IP address may not be asked for by name (RFC 6066, 3), only looked for in the certificate.
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

type Certificate = Parameters<typeof checkServerIdentity>[1]
