import type { TestProject } from 'vitest/node'
import { RealEtcd } from './etcd.js'
import { type EtcdVersion, findEtcd } from './etcd-binary.js'
import { fetchGrpcJs } from './grpc-js.js'
import { fetchProtoc } from './protoc.js'

/**
 * Finds or downloads etcd and protoc once before the test files run in parallel, and starts an etcd for each worker.
 * Worker processes end with each file, and would otherwise start an etcd for every file.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const version = project.config.env.ETCD_VERSION as EtcdVersion | undefined
  for (const tool of ['etcd', 'etcdctl'] as const) findEtcd(tool, version)
  fetchProtoc()
  const { GRPC_JS_VERSION } = project.config.env
  if (GRPC_JS_VERSION) fetchGrpcJs(GRPC_JS_VERSION)
  const workers = Array.from({ length: project.vitest.config.maxWorkers })
  const etcds = await Promise.all(workers.map(() => RealEtcd.start(version === undefined ? {} : { version })))
  project.provide(
    'sharedEtcds',
    etcds.map(({ endpoint }) => endpoint),
  )
  return async () => {
    await Promise.all(etcds.map((etcd) => etcd.stop()))
  }
}
