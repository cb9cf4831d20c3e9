import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Downloads Debian packages and unpacks them into a folder, which is made anew, without installing anything.
 *
 * @param libraries of their dependencies, those whose names begin like this come along
 */
export function unpackPackages(
  names: readonly string[],
  folder: string,
  libraries: string | null = null,
): void {
  const work = mkdtempSync(join(tmpdir(), 'disco-packages-'))
  try {
    download(work, names, libraries)
    const unpacked = join(work, 'unpacked')
    for (const archive of readdirSync(work).filter((name) => name.endsWith('.deb'))) {
      execFileSync('dpkg-deb', ['-x', join(work, archive), unpacked])
    }
    mkdirSync(join(folder, '..'), { recursive: true })
    rmSync(folder, { recursive: true, force: true })
    moveFolder(unpacked, folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Tries the system's package lists first; where they are missing, fetches private ones beside the archives. */
function download(work: string, names: readonly string[], libraries: string | null): void {
  const run = (command: string, args: readonly string[]) =>
    execFileSync(command, args, { cwd: work, stdio: 'pipe', encoding: 'utf8' })
  const fetch = (options: readonly string[]) => {
    const depends = libraries === null ? '' : run('apt-cache', [...options, 'depends', ...names])
    const wanted = depends.split(/\s+/).filter((word) => libraries !== null && word.startsWith(libraries))
    run('apt-get', [...options, 'download', ...new Set([...names, ...wanted])])
  }
  try {
    fetch([])
  } catch {
    const lists = join(work, 'lists')
    mkdirSync(join(lists, 'partial'), { recursive: true })
    const privateLists = ['-o', `Dir::State::Lists=${lists}`, '-o', 'APT::Sandbox::User=root']
    run('apt-get', [...privateLists, 'update'])
    fetch(privateLists)
  }
}

function moveFolder(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch {
    execFileSync('cp', ['-r', from, to])
  }
}
