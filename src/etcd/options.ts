import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { readAddress } from '../domain/address.js'
import { DiscoError } from '../domain/errors.js'

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
export async function readTlsFiles(options: EtcdOptions): Promise<TlsFiles | null> {
  const { caFile, certFile, keyFile } = options
  if (!certFile !== !keyFile) {
    throw new DiscoError('USAGE', 'A client certificate needs both --cert and --key')
  }
  if (!caFile && !certFile) return null
  const [rootCertificate, certChain, privateKey] = await Promise.all([
    readPem(caFile, 'certificate', (pem) => new X509Certificate(pem)),
    readPem(certFile, 'certificate', (pem) => new X509Certificate(pem)),
    readPem(keyFile, 'private key', createPrivateKey),
  ])
  if (certChain && privateKey && !certChain.parsed.checkPrivateKey(privateKey.parsed)) {
    throw new DiscoError('USAGE', `The key in ${keyFile} does not belong to the certificate in ${certFile}`)
  }
  return {
    // etcd3 wants a root; without one of our own the system's are used, as for any other TLS client.
    rootCertificate:
      rootCertificate?.pem ?? Buffer.from((await import('node:tls')).rootCertificates.join('\n')),
    ...(certChain ? { certChain: certChain.pem } : {}),
    ...(privateKey ? { privateKey: privateKey.pem } : {}),
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
