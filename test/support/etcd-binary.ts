import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

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
  const folder = mkdtempSync(join(tmpdir(), 'disco-etcd-'))
  try {
    download(folder)
    const unpacked = join(folder, 'unpacked')
    for (const archive of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
      execFileSync('dpkg-deb', ['-x', join(folder, archive), unpacked])
    }
    mkdirSync(join(CACHE_FOLDER, '..'), { recursive: true })
    rmSync(CACHE_FOLDER, { recursive: true, force: true })
    moveFolder(unpacked, CACHE_FOLDER)
  } catch (cause) {
    throw new Error(
      'The tests need a real etcd, and none could be found or fetched. ' +
        'Install one (Debian: apt-get install etcd-server etcd-client), or set ETCD_BIN and ETCDCTL_BIN.',
      { cause },
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Tries the system's package lists first; where they are missing, fetches private ones beside the archives. */
function download(folder: string): void {
  const packages = ['download', 'etcd-server', 'etcd-client']
  const run = (args: string[]) => execFileSync('apt-get', args, { cwd: folder, stdio: 'pipe' })
  try {
    run(packages)
  } catch {
    const lists = join(folder, 'lists')
    mkdirSync(join(lists, 'partial'), { recursive: true })
    const privateLists = ['-o', `Dir::State::Lists=${lists}`, '-o', 'APT::Sandbox::User=root']
    run([...privateLists, 'update'])
    run([...privateLists, ...packages])
  }
}

function moveFolder(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch {
    execFileSync('cp', ['-r', from, to])
  }
}
