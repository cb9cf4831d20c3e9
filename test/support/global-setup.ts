import { findEtcd } from './etcd-binary.js'
import { fetchProtoc } from './protoc.js'

/** Finds or fetches etcd and protoc once, before the test files start side by side. */
export default function setup(): void {
  process.env.ETCD_BIN = findEtcd('etcd')
  process.env.ETCDCTL_BIN = findEtcd('etcdctl')
  fetchProtoc()
}
