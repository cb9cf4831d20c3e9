import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServerCredentials } from '@grpc/grpc-js'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { type KeyPairFiles, TestAuthority } from './certificates.js'

/** Flags for a client certificate and the CA of the servers. */
export function mutualFlags({ caFile }: TestAuthority, { certFile, keyFile }: KeyPairFiles): string[] {
  return ['--tls-ca', caFile, '--tls-cert', certFile, '--tls-key', keyFile]
}

/** A key pair in the form that servers of grpc-js accept. */
export function pairOf({ certFile, keyFile }: KeyPairFiles) {
  return { private_key: readFileSync(keyFile), cert_chain: readFileSync(certFile) }
}

/** Greeters with certificates of a CA made for the test, and client certificates that they accept and refuse. */
export class TlsServers implements AsyncDisposable {
  private constructor(
    readonly folder: string,
    readonly authority: TestAuthority,
    /** A CA that no server trusts. */
    readonly stranger: TestAuthority,
    readonly greeters: Readonly<Record<'tls' | 'mutual' | 'plain' | 'past', Greeter>>,
    readonly clients: Readonly<Record<'client' | 'expired' | 'foreign', KeyPairFiles>>,
  ) {}

  /** Starts greeters with certificates for `hello` and `other.example`. */
  static async start(): Promise<TlsServers> {
    const folder = await mkdtemp(join(tmpdir(), 'disco-tls-'))
    const authority = await TestAuthority.create(folder, 'authority')
    const stranger = await TestAuthority.create(folder, 'stranger')
    const client = await authority.sign('client')
    const expired = await authority.sign('expired', [], [-2, -1])
    const foreign = await stranger.sign('foreign')
    const pair = pairOf(await authority.sign('server', ['hello', 'other.example']))
    const past = pairOf(await authority.sign('past', ['hello'], [-2, -1]))
    const ca = readFileSync(authority.caFile)
    const [tls, mutual, plain, outdated] = await Promise.all([
      startGreeter({ port: 0, credentials: ServerCredentials.createSsl(null, [pair]) }),
      startGreeter({ port: 0, credentials: ServerCredentials.createSsl(ca, [pair], true) }),
      startGreeter({ port: 0 }),
      startGreeter({ port: 0, credentials: ServerCredentials.createSsl(null, [past]) }),
    ])
    const greeters = { tls, mutual, plain, past: outdated }
    return new TlsServers(folder, authority, stranger, greeters, { client, expired, foreign })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const greeter of Object.values(this.greeters)) greeter.stop()
    await rm(this.folder, { recursive: true, maxRetries: 5 })
  }
}
