import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { environmentOf } from '../support/disco.js'
import { registration } from '../support/etcd-state.js'
import { sharedEtcd } from '../support/shared-etcd.js'

const MAIN = fileURLToPath(new URL('../support/evaluated-modules-main.cjs', import.meta.url))
const PACKAGE = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

/** Libraries that every command needs. oclif has further dependencies. */
const NEEDED_BY_ALL = ['@oclif/core', 'chalk']

interface StartUp {
  /** Paths of evaluated modules, relative to the repository. */
  readonly evaluated: readonly string[]
  /** Libraries of package.json that were evaluated, without those that every command needs. */
  readonly libraries: readonly string[]
  /** Folders of src/ with evaluated modules. */
  readonly folders: readonly string[]
  /** Functions of Intl, and other localized functions, that were called. */
  readonly localized: readonly string[]
}

/**
 * Runs command lines one after the other in one process, and returns what they evaluate. The process exits with the
 * code of the last failed one.
 */
async function startUp(endpoint: string, exitCode: number, ...lines: string[][]): Promise<StartUp> {
  const env = environmentOf(endpoint)
  const child = fork(MAIN, [JSON.stringify(lines)], { env, silent: true, execArgv: [] })
  const [[report], [code]] = await Promise.all([once(child, 'message'), once(child, 'close')])
  expect(code).toBe(exitCode)
  const { evaluated, localized } = report as { evaluated: string[]; localized: string[] }
  const { dependencies, devDependencies, peerDependencies } = PACKAGE
  const known = Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies })
  const isEvaluated = (library: string) =>
    evaluated.some((path) => path.startsWith(`node_modules/${library}/`))
  const folders = evaluated.flatMap((path) => /^src\/(\w+)\//.exec(path)?.[1] ?? [])
  return {
    evaluated,
    libraries: known.filter((library) => !NEEDED_BY_ALL.includes(library) && isEvaluated(library)).sort(),
    folders: [...new Set(folders)].sort(),
    localized,
  }
}

test('disco --help evaluates no library but oclif and chalk, and no module that only other commands need', async () => {
  const { libraries, folders, localized } = await startUp('127.0.0.1:1', 0, ['--help'])
  expect({ libraries, localized }).toEqual({ libraries: [], localized: [] })
  // Of registry/ and etcd/, only the names of environment variables and options are loaded.
  expect(folders).toEqual(['cli', 'commands', 'config', 'domain', 'etcd', 'registry'])
})

test('disco ls with ASCII names evaluates the libraries for etcd, selectors and tables, and calls no function of Intl', async () => {
  const etcd = await sharedEtcd()
  await etcd.ctl('put', ...registration('hello', '10.0.0.1:80'))
  const { libraries, localized } = await startUp(etcd.endpoint, 0, ['ls', 'hello'])
  expect(localized).toEqual([])
  expect(libraries).toEqual(['@grpc/grpc-js', 'cli-table3', 'cockatiel', 'etcd3', 'protobufjs', 'semver'])
})

test('no command except call evaluates the libraries for gRPC, etcd, files and templates before it parses its flags', async () => {
  const all = readdirSync(new URL('../../src/commands', import.meta.url))
  const files = all.filter((file) => file !== 'call.ts')
  const lines = files.map((file) => [file.replace('.ts', ''), '--no-such-flag'])
  const { evaluated, libraries, localized } = await startUp('127.0.0.1:1', 2, ...lines)
  expect(evaluated).toEqual(expect.arrayContaining(files.map((file) => `src/commands/${file}`)))
  expect(localized).toEqual([])
  expect(libraries).toEqual(['cli-table3', 'semver'])
})
