import type { RealEtcd } from './etcd.js'

/** A user who may read and write under one prefix. */
export interface PrefixUser {
  readonly name: string
  readonly password: string
  readonly prefix: string
}

/** Turns authentication on. etcdctl goes on as root. */
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
