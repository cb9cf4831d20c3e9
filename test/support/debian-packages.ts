import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface Packages {
  readonly names: readonly string[]
  /** Of their dependencies, those whose names begin like this come along. */
  readonly libraries?: string
  /** All packages come along that they depend on and that this system lacks. */
  readonly complete?: true
  /** The system's own suite by default. */
  readonly from?: OtherSuites
}

/** Suites of the archive from which the system is installed, such as `trixie`. */
export interface OtherSuites {
  /** The first that carries the version serves. */
  readonly suites: readonly string[]
  /** How the version of all packages begins. */
  readonly version: string
}

/** Runs apt's tools with further options; their standard output. */
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
    rmSync(work, { recursive: true, force: true })
    rmSync(unpacked, { recursive: true, force: true })
  }
}

function download(work: string, packages: Packages): void {
  const { from } = packages
  const fetchBy = (system: Apt) =>
    fetch(from ? aptOfSuites(work, from, packages, system) : system, packages, work)
  try {
    fetchBy(aptIn(work, []))
  } catch {
    // The system's lists may be missing, as in most containers.
    fetchBy(aptWithLists(work, 'system', []))
  }
}

function fetch(apt: Apt, { names, libraries, complete }: Packages, work: string): void {
  if (complete) {
    mkdirSync(join(work, 'partial'), { recursive: true })
    const into = ['-o', `Dir::Cache::Archives=${work}`, '-o', 'Debug::NoLocking=true']
    apt('apt-get', 'install', '--download-only', '--no-install-recommends', '--yes', ...into, ...names)
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

/** Package lists of our own, so that neither root nor the system's lists are needed. */
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
    ...['Created-By: Packages', 'Origin: Debian', 'Label: Debian', 'Component: main'],
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
