import type { TestProject } from 'vitest/node'
import { type EtcdVersion, findEtcd } from './etcd-binary.js'
import { fetchProtoc } from './protoc.js'

/** Finds or fetches etcd and protoc once, before the test files start side by side. */
export default function setup({ config }: TestProject): void {
  const version = config.env.ETCD_VERSION as EtcdVersion | undefined
  for (const tool of ['etcd', 'etcdctl'] as const) findEtcd(tool, version)
  fetchProtoc()
}
