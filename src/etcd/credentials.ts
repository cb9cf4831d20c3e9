import { DiscoError } from '../domain/errors.js'
import { type NamedFile, sourceName, withoutMark } from '../domain/file-source.js'
import { systemMessage } from '../domain/system-message.js'
import { readPems, readSource } from '../net/files.js'
import type { EtcdOptions } from './options.js'

export interface TlsFiles {
  readonly rootCertificate: Buffer
  readonly privateKey?: Buffer
  readonly certChain?: Buffer
}

/** The contents of the files named by the options, as of the last read. */
export interface Credentials {
  /** Null if no TLS file is named. */
  readonly tls: TlsFiles | null
  readonly password: string
}

/** @throws DiscoError USAGE for a file that cannot be read, or a key that does not belong to the certificate */
export async function readCredentials(options: EtcdOptions): Promise<Credentials> {
  const { passwordFile, password = '' } = options
  const [tls, fromFile] = await Promise.all([
    readTlsFiles(options),
    passwordFile ? readPasswordFile(passwordFile) : password,
  ])
  return { tls, password: fromFile }
}

export function areSame(one: Credentials, other: Credentials): boolean {
  const isSameFile = (name: keyof TlsFiles) => {
    const [a, b] = [one.tls?.[name], other.tls?.[name]]
    return a && b ? a.equals(b) : a === b
  }
  const areFilesSame = (['rootCertificate', 'privateKey', 'certChain'] as const).every(isSameFile)
  return one.password === other.password && areFilesSame
}

/** The password in a file: without a byte order mark, and without an editor's final newline. */
function passwordIn(text: string): string {
  return withoutMark(text).replace(/\r?\n$/, '')
}

async function readPasswordFile(file: string | NamedFile): Promise<string> {
  const name = sourceName(file)
  const bytes = await readSource(file).catch((cause: unknown) => {
    throw new DiscoError('USAGE', `Cannot read the password file ${name}: ${systemMessage(cause)}`, { cause })
  })
  const password = passwordIn(bytes.toString())
  // etcd would report an empty password as a wrong one.
  if (password === '') throw new DiscoError('USAGE', `The password file ${name} is empty`)
  return password
}

async function readTlsFiles({ caFile, certFile, keyFile }: EtcdOptions): Promise<TlsFiles | null> {
  const pems = await readPems({ caFile, certFile, keyFile }, '--cert and --key')
  if (!pems) return null
  const { ca, cert, key } = pems
  return {
    // etcd3 requires a root; without a CA file the system's roots are used, as in other TLS clients.
    rootCertificate: ca ?? Buffer.from((await import('node:tls')).rootCertificates.join('\n')),
    ...(cert ? { certChain: cert } : {}),
    ...(key ? { privateKey: key } : {}),
  }
}
