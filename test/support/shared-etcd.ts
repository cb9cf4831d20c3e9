import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import type { Etcd } from './etcd.js'
import { findEtcd } from './etcd-binary.js'
import { revision, wipe } from './etcd-state.js'
import { etcdctlByApi } from './etcdctl-by-api.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port` of the etcd of each worker, which `global-setup.ts` starts and stops. */
    readonly sharedEtcds: readonly string[]
  }
}

/**
 * The emptied etcd of the worker that runs a test file. A worker runs its files one after the other, so the file has
 * the etcd to itself. It is for tests that read and write. Tests that stop, freeze or fill their etcd, or turn
 * authentication on, start a `RealEtcd`.
 */
export async function sharedEtcd(): Promise<Etcd> {
  const endpoint = inject('sharedEtcds')[Number(process.env.VITEST_POOL_ID) - 1]
  if (endpoint === undefined) throw new Error(`No etcd for worker ${process.env.VITEST_POOL_ID}`)
  const etcd = etcdAt(endpoint)
  await wipe(etcd)
  const ctl = async (...args: string[]) => (await etcdctlByApi(endpoint, args)) ?? (await etcd.ctl(...args))
  return { endpoint, startRevision: await revision(etcd), ctl }
}

/** A server with etcd’s API at `host:port`. */
export function etcdAt(endpoint: string): Etcd {
  return { endpoint, startRevision: 0, ctl: (...args: string[]) => ctl(endpoint, args) }
}

async function ctl(endpoint: string, args: readonly string[]): Promise<string> {
  const env = { PATH: process.env.PATH, ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: endpoint }
  const { stdout } = await promisify(execFile)(findEtcd('etcdctl'), args, { env })
  return stdout
}
