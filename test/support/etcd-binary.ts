import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { unpackPackages } from './debian-packages.js'

/** Where a fetched etcd is kept between runs: inside node_modules, so that a fresh clone starts clean. */
const CACHE_FOLDER = fileURLToPath(new URL('../../node_modules/.cache/disco/etcd', import.meta.url))

export type EtcdTool = 'etcd' | 'etcdctl'

/**
 * The path of a real etcd (or etcdctl): `ETCD_BIN` (`ETCDCTL_BIN`), then PATH, then this project's cache,
 * then Debian's packages, unpacked into the cache without installing anything.
 *
 * @throws Error that says what to install, when all four fail.
 */
export function findEtcd(tool: EtcdTool): string {
  const named = process.env[`${tool.toUpperCase()}_BIN`]
  if (named) return named
  const onPath = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, tool))
    .find(existsSync)
  if (onPath) return onPath
  const cached = join(CACHE_FOLDER, 'usr/bin', tool)
  if (!existsSync(cached)) fetchIntoCache()
  return cached
}

function fetchIntoCache(): void {
  try {
    unpackPackages(['etcd-server', 'etcd-client'], CACHE_FOLDER)
  } catch (cause) {
    throw new Error(
      'The tests need a real etcd, and none could be found or fetched. ' +
        'Install one (Debian: apt-get install etcd-server etcd-client), or set ETCD_BIN and ETCDCTL_BIN.',
      { cause },
    )
  }
}
