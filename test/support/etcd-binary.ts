import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { unpackPackages } from './debian-packages.js'

/**
 * Cache of downloaded etcd versions between runs. It is inside node_modules, so that a fresh clone starts without it.
 */
const CACHE_FOLDER = fileURLToPath(new URL('../../node_modules/.cache/disco/etcd', import.meta.url))

/** The Debian suites that may have each version, the newest patch first. */
const SUITES = { '3.4': ['bookworm'], '3.5': ['forky', 'sid', 'trixie'] } as const

export type EtcdVersion = keyof typeof SUITES

/** The supported minor versions, oldest first. */
export const ETCD_VERSIONS = Object.keys(SUITES) as EtcdVersion[]

const DEFAULT_VERSION: EtcdVersion = '3.5'

export type EtcdTool = 'etcd' | 'etcdctl'

/**
 * The path of a real etcd or etcdctl. Without a version, it is `ETCD_BIN` or `ETCDCTL_BIN` if set, otherwise the
 * version in `ETCD_VERSION`, otherwise the one in PATH, otherwise 3.5. A version is taken from PATH if it is there, and
 * otherwise from the cache of this project, into which Debian’s packages are unpacked without installation.
 *
 * @throws Error that names what to install if none is found or downloaded
 */
export function findEtcd(tool: EtcdTool, version?: EtcdVersion): string {
  if (version !== undefined) return versioned(tool, version)
  const named = process.env[`${tool.toUpperCase()}_BIN`]
  if (named) return named
  const asked = askedVersion()
  if (asked !== null) return versioned(tool, asked)
  return onPath(tool) ?? versioned(tool, DEFAULT_VERSION)
}

/** The full version, such as `3.5.30`, of the etcd that {@link findEtcd} finds, including one in `ETCD_BIN`. */
export function etcdVersion(version?: EtcdVersion): string {
  return versionOf(findEtcd('etcd', version), 'etcd')
}

/**
 * The etcd versions for tests that name their version: the version of this run. The long suite runs such tests once for
 * each version.
 */
export function versionsUnderTest(): readonly EtcdVersion[] {
  return [askedVersion() ?? DEFAULT_VERSION]
}

function askedVersion(): EtcdVersion | null {
  const { ETCD_VERSION } = process.env
  if (!ETCD_VERSION) return null
  const version = ETCD_VERSIONS.find((known) => known === ETCD_VERSION)
  if (!version)
    throw new Error(`Unknown ETCD_VERSION "${ETCD_VERSION}". Available: ${ETCD_VERSIONS.join(', ')}`)
  return version
}

const found = new Map<string, string>()

/** The path for a version. It is cached, because every start of a member asks for it. */
function versioned(tool: EtcdTool, version: EtcdVersion): string {
  const known = found.get(`${tool} ${version}`)
  if (known !== undefined) return known
  const installed = onPath(tool)
  const path =
    installed !== null && versionOf(installed, tool).startsWith(`${version}.`)
      ? installed
      : cached(tool, version)
  found.set(`${tool} ${version}`, path)
  return path
}

function onPath(tool: EtcdTool): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, tool)).find(existsSync) ?? null
}

/** The version `3.5.30` in `etcd Version: 3.5.30` or `etcdctl version: 3.5.30`. */
function versionOf(path: string, tool: EtcdTool): string {
  const env = { PATH: process.env.PATH, ETCDCTL_API: '3' }
  const text = execFileSync(path, [tool === 'etcd' ? '--version' : 'version'], { encoding: 'utf8', env })
  return /version: (\d+\.\d+\.\d+)/i.exec(text)?.[1] ?? ''
}

function cached(tool: EtcdTool, version: EtcdVersion): string {
  const folder = join(CACHE_FOLDER, version)
  const path = join(folder, 'usr/bin', tool)
  if (existsSync(path)) return path
  try {
    unpackPackages(
      { names: ['etcd-server', 'etcd-client'], from: { suites: SUITES[version], version } },
      folder,
    )
  } catch (cause) {
    throw new Error(
      `The tests need a real etcd ${version}, and none could be found or fetched. ` +
        'Install one (Debian: apt-get install etcd-server etcd-client), or set ETCD_BIN and ETCDCTL_BIN.',
      { cause },
    )
  }
  return path
}
