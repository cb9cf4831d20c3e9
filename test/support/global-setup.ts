import { findEtcd } from './etcd-binary.js'

/** Finds or fetches etcd once, before the test files start side by side. */
export default function setup(): void {
  process.env.ETCD_BIN = findEtcd('etcd')
  process.env.ETCDCTL_BIN = findEtcd('etcdctl')
}
