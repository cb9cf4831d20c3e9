import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface Packages {
  readonly names: readonly string[]
  /** Prefix of names. Dependencies whose names start with it are downloaded as well. */
  readonly libraries?: string
  /** Also downloads all dependencies that this system does not have. */
  readonly complete?: true
  /** By default, the suite of this system. */
  readonly from?: OtherSuites
}

/** Other suites in the archive of this system, such as `trixie`. */
export interface OtherSuites {
  /** Suites in order of preference. The first one that has the version is used. */
  readonly suites: readonly string[]
  /** Prefix of the version of all packages. */
  readonly version: string
}

/** Runs an apt tool with further options. Returns its standard output. */
type Apt = (command: string, ...args: readonly string[]) => string

/**
 * Downloads Debian packages and unpacks them into a folder that does not exist yet, without installing anything.
 * Of several processes that do so at the same time, the first one wins.
 */
export function unpackPackages(packages: Packages, folder: string): void {
  const work = mkdtempSync(join(tmpdir(), 'disco-packages-'))
  mkdirSync(dirname(folder), { recursive: true })
  const unpacked = mkdtempSync(`${folder}-`)
  try {
    download(work, packages)
    for (const archive of readdirSync(work).filter((name) => name.endsWith('.deb'))) {
      execFileSync('dpkg-deb', ['-x', join(work, archive), unpacked])
    }
    moveUnlessThere(unpacked, folder)
  } finally {
    rmSync(work, { recursive: true, force: true, maxRetries: 5 })
    rmSync(unpacked, { recursive: true, force: true, maxRetries: 5 })
  }
}

function download(work: string, packages: Packages): void {
  const { from } = packages
  const fetchBy = (system: Apt) =>
    fetch(from ? aptOfSuites(work, from, packages, system) : system, packages, work)
  try {
    fetchBy(aptIn(work, []))
  } catch {
    // The package lists of the system may be missing, as in most containers.
    fetchBy(aptWithLists(work, 'system', []))
  }
}

function fetch(apt: Apt, { names, libraries, complete }: Packages, work: string): void {
  if (complete) {
    mkdirSync(join(work, 'partial'), { recursive: true })
    const into = ['-o', `Dir::Cache::Archives=${work}`, '-o', 'Debug::NoLocking=true']
    // With --reinstall, also packages that this system has are downloaded.
    const options = ['--reinstall', '--download-only', '--no-install-recommends', '--yes']
    apt('apt-get', 'install', ...options, ...into, ...names)
    return
  }
  const depends = libraries === undefined ? '' : apt('apt-cache', 'depends', ...names)
  const wanted = depends.split(/\s+/).filter((word) => libraries !== undefined && word.startsWith(libraries))
  apt('apt-get', 'download', ...new Set([...names, ...wanted]))
}

function aptIn(work: string, options: readonly string[]): Apt {
  return (command, ...args) =>
    execFileSync(command, [...options, ...args], { cwd: work, stdio: 'pipe', encoding: 'utf8' })
}

/** apt with package lists of its own, which needs neither root nor the lists of the system. */
function aptWithLists(work: string, name: string, options: readonly string[]): Apt {
  const lists = join(work, `lists-${name}`)
  mkdirSync(join(lists, 'partial'), { recursive: true })
  const settings = [`Dir::State::Lists=${lists}`, `Dir::Cache=${work}`, 'APT::Sandbox::User=root', ...options]
  const apt = aptIn(
    work,
    settings.flatMap((setting) => ['-o', setting]),
  )
  apt('apt-get', 'update')
  return apt
}

function aptOfSuites(work: string, { suites, version }: OtherSuites, { names }: Packages, system: Apt): Apt {
  for (const suite of suites) {
    const apt = aptOfSuite(work, suite, system)
    const versions = apt('apt-cache', '--no-all-versions', 'show', ...names).match(/^Version: .*$/gm) ?? []
    if (versions.length > 0 && versions.every((line) => line.startsWith(`Version: ${version}.`))) return apt
  }
  throw new Error(`None of ${suites.join(', ')} carries ${names.join(', ')} ${version}`)
}

function aptOfSuite(work: string, suite: string, system: Apt): Apt {
  const archive = system(
    ...(['apt-get', 'indextargets', '--format', '$(REPO_URI)'] as const),
    'Created-By: Packages',
    'Origin: Debian',
    'Label: Debian',
    'Component: main',
  ).split('\n')[0]
  if (!archive) throw new Error("The system's package lists name no Debian archive")
  const sources = join(work, `${suite}.list`)
  writeFileSync(sources, `deb ${archive} ${suite} main\n`)
  return aptWithLists(work, suite, [`Dir::Etc::SourceList=${sources}`, 'Dir::Etc::SourceParts=/dev/null'])
}

function moveUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (!existsSync(to)) throw error
  }
}
