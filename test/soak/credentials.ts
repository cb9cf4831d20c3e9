import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../support/disco.js'
import type { EtcdApi } from '../support/etcd-api.js'
import { enableAuth } from '../support/etcd-auth.js'
import type { EtcdCluster } from '../support/etcd-cluster.js'

const USER = 'soak'
const ROOT = 'root'
/** A short TTL, so that tokens expire during the soak. */
const TOKEN_TTL_SECONDS = 15

/** Flags of etcd: short-lived tokens, and passwords that are quick to check. */
export const AUTH_ARGS = ['--auth-token-ttl', String(TOKEN_TTL_SECONDS), '--bcrypt-cost', '4']

/** The credentials of the user under test in a cluster with authentication, with its password in a file. */
export class SoakCredentials implements Disposable {
  readonly user = USER
  private readonly folder = mkdtempSync(join(tmpdir(), 'disco-soak-'))
  private password = 'first'

  private constructor() {
    this.publish()
  }

  static async start(cluster: EtcdCluster, service: string): Promise<SoakCredentials> {
    const credentials = new SoakCredentials()
    const [first] = cluster.members
    if (!first) throw new Error('there is no member')
    await enableAuth(first, [{ name: USER, password: credentials.password, prefix: `/${service}/` }])
    for (const member of cluster.members) member.ctlUser = `${ROOT}:${ROOT}`
    return credentials
  }

  get passwordFile(): string {
    return join(this.folder, 'password')
  }

  /** Logs an API client of the soak itself in as root. */
  async admit(api: EtcdApi): Promise<void> {
    await api.login(ROOT, ROOT)
  }

  /** Changes the password in etcd. The file keeps the old one until `publish`. */
  async change(api: EtcdApi, password: string): Promise<void> {
    const change = { name: USER, password }
    await until(
      // Repeated if an answer was lost in an election: repeating the same change is harmless.
      async () => 'ok' in (await api.call('Auth/UserChangePassword', change).catch(() => ({}))),
      () => 'a new password',
    )
    this.password = password
  }

  /** Writes the current password to the file. */
  publish(): void {
    writeFileSync(this.passwordFile, this.password)
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
