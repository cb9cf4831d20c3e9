import { RealEtcd } from './etcd.js'
import type { EtcdVersion } from './etcd-binary.js'
import { etcdctl } from './etcdctl.js'

/** A user who may read and write keys with one prefix. */
export interface PrefixUser {
  readonly name: string
  readonly password: string
  readonly prefix: string
}

/** Turns authentication on. Later etcdctl calls use root. */
export async function enableAuth(etcd: RealEtcd, users: readonly PrefixUser[]): Promise<void> {
  await etcd.ctl('user', 'add', 'root:root')
  await etcd.ctl('user', 'grant-role', 'root', 'root')
  for (const { name, password, prefix } of users) {
    await etcd.ctl('user', 'add', `${name}:${password}`)
    await etcd.ctl('role', 'add', name)
    await etcd.ctl('role', 'grant-permission', name, 'readwrite', prefix, '--prefix=true')
    await etcd.ctl('user', 'grant-role', name, name)
  }
  await etcd.ctl('auth', 'enable')
  etcd.ctlUser = 'root:root'
}

/** An etcd whose user alice, with the password "first", may read and write below /hello/. */
export async function etcdOfAlice(version: EtcdVersion): Promise<RealEtcd> {
  const etcd = await RealEtcd.start({ version })
  await enableAuth(etcd, [{ name: 'alice', password: 'first', prefix: '/hello/' }])
  return etcd
}

/** Changes the password of a user in one step. Its roles stay the same. */
export async function changePassword(etcd: RealEtcd, name: string, password: string): Promise<void> {
  const args = ['--user', etcd.ctlUser, 'user', 'passwd', name, '--interactive=false']
  const { code, stderr } = await etcdctl(etcd.endpoint, args, `${password}\n`)
  if (code !== 0) throw new Error(`etcdctl user passwd: ${stderr}`)
}
