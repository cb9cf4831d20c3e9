import { readAddress } from '../domain/address.js'
import { DiscoError } from '../domain/errors.js'
import { readPems } from '../tls/files.js'

/** How to reach etcd. Files are read when the client is made; a password is never part of a message. */
export interface EtcdOptions {
  /** `host:port`, `http://host:port` or `https://host:port`, one for each member. */
  readonly endpoints: readonly string[]
  /** Where the endpoints were said, for error messages: a flag, a variable, the default. */
  readonly endpointsSource: string
  readonly caFile?: string | undefined
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** The most that one request to etcd may take, tries included. */
  readonly commandTimeoutMs: number
  /** The most that one try may take while another member could be asked. */
  readonly dialTimeoutMs: number
}

export interface TlsFiles {
  readonly rootCertificate: Buffer
  readonly privateKey?: Buffer
  readonly certChain?: Buffer
}

/** One member's URL, or DiscoError USAGE: etcd3 itself takes bad ones and fails later in other words. */
export function memberUrl(endpoint: string, wantsTls: boolean): string {
  const match = /^(?:(https?):\/\/)?([^/]*)\/?$/.exec(endpoint.trim())
  const [, scheme, hostAndPort = ''] = match ?? []
  const address = match && hostAndPort ? readAddress(hostAndPort) : { problem: 'is no etcd endpoint' }
  const problem =
    'problem' in address
      ? address.problem
      : address.kind === 'unix' || address.host === ''
        ? 'has no host'
        : scheme === 'http' && wantsTls
          ? 'is plain http, but a CA or a client certificate was given'
          : null
  if (problem !== null) {
    throw new DiscoError('USAGE', `etcd endpoint "${endpoint}" ${problem}`, {
      suggestions: ['Want host:port, http://host:port or https://host:port, several separated by commas'],
    })
  }
  return `${scheme ?? (wantsTls ? 'https' : 'http')}://${hostAndPort}`
}

/** Null where nothing asks for TLS files. */
export async function readTlsFiles({ caFile, certFile, keyFile }: EtcdOptions): Promise<TlsFiles | null> {
  const pems = await readPems({ caFile, certFile, keyFile }, '--cert and --key')
  if (!pems) return null
  const { ca, cert, key } = pems
  return {
    // etcd3 wants a root; without one of our own the system's are used, as for any other TLS client.
    rootCertificate: ca ?? Buffer.from((await import('node:tls')).rootCertificates.join('\n')),
    ...(cert ? { certChain: cert } : {}),
    ...(key ? { privateKey: key } : {}),
  }
}
