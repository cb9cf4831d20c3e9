import { execFile, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { environmentOf, Process } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { putAll } from '../support/etcd-state.js'
import { pack } from '../support/pack.js'

/** npm may have to download every package. */
const INSTALL_DEADLINE_MS = 240_000

let etcd: RealEtcd
let packed: string
/** A project folder in which the package is installed. */
let folder: string
const started: Process[] = []

/** Installs like a user: into an empty folder, from the packed tarball, with dependencies from the npm registry. */
beforeAll(async () => {
  etcd = await RealEtcd.start()
  packed = mkdtempSync(join(tmpdir(), 'disco-packed-'))
  folder = join(packed, 'project')
  mkdirSync(folder)
  await install(pack(packed))
}, INSTALL_DEADLINE_MS)

afterAll(async () => {
  await Promise.all(started.map((process) => process.end('SIGKILL')))
  await etcd.stop()
  rmSync(packed, { recursive: true, force: true, maxRetries: 5 })
})

async function install(...packages: string[]): Promise<void> {
  await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', ...packages], { cwd: folder })
}

function environment(): Record<string, string> {
  return { ...environmentOf(etcd.endpoint), XDG_CACHE_HOME: join(packed, 'cache') }
}

async function npx(...args: string[]): Promise<string> {
  const command = ['--no', 'disco', '--', ...args]
  const { stdout, stderr } = await promisify(execFile)('npx', command, { cwd: folder, env: environment() })
  expect(stderr).toBe('')
  return stdout
}

function node(...args: string[]): Process {
  const process_ = new Process(
    spawn(process.execPath, args, { cwd: folder, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] }),
  )
  started.push(process_)
  return process_
}

test('npx disco prints its help and lists the endpoints in etcd', async () => {
  const help = await npx('--help')
  for (const command of ['call', 'ls', 'watch']) expect(help).toMatch(new RegExp(`^  ${command} `, 'm'))
  await putAll(etcd, 'greeting', [
    { addr: '127.0.0.1:1001', weight: 1 },
    { addr: '127.0.0.1:1002', weight: 3 },
  ])
  const { endpoints } = JSON.parse(await npx('ls', 'greeting', '--json')) as {
    endpoints: unknown[]
  }
  expect(endpoints).toMatchObject([
    { addr: '127.0.0.1:1001', weight: 1, share: 0.25 },
    { addr: '127.0.0.1:1002', weight: 3, share: 0.75 },
  ])
})

test(
  'the install command of README installs the tarball of npm pack',
  async () => {
    const [, line = ''] = /^(npm install --global \S+)/m.exec(readFileSync('README.md', 'utf8')) ?? []
    const prefix = join(packed, 'prefix')
    const env = {
      ...process.env,
      npm_config_prefix: prefix,
      npm_config_fund: 'false',
      npm_config_audit: 'false',
    }
    await promisify(execFile)('bash', ['--norc', '-c', line], { cwd: packed, env })
    const { stdout } = await promisify(execFile)(join(prefix, 'bin/disco'), ['--version'], {
      env: environment(),
    })
    expect(stdout).toMatch(/^disco-registry\//)
  },
  INSTALL_DEADLINE_MS,
)

test('npx disco prints its version, and runs a registry for a command that calls disco again', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  expect(await npx('--version')).toMatch(new RegExp(`^disco-registry/${version.replaceAll('.', '\\.')} `))
  const dev = ['dev', '--port', '0', '--backends', '1,3', '--', 'npx', '--no', 'disco', '--', 'ls', 'hello']
  const listed = await promisify(execFile)('npx', ['--no', 'disco', '--', ...dev], {
    cwd: folder,
    env: environment(),
  })
  expect(listed.stdout).toMatch(/127\.0\.0\.1:\d+ +1\.0\.0 +1 +25\.0%/)
  expect(listed.stdout).toMatch(/127\.0\.0\.1:\d+ +1\.0\.0 +3 +75\.0%/)
})

test('all entry points of the library can be imported', async () => {
  const program = `import { DiscoError, Registry, register } from 'disco-registry'
    import { channelOptions, install, targetOf } from 'disco-registry/grpc'
    import { findPolicy, POLICIES } from 'disco-registry/policies'
    const kinds = [DiscoError, Registry, register, channelOptions, install, targetOf, findPolicy].map((of) => typeof of)
    console.log([...new Set(kinds)].join(), POLICIES[0].name)`
  const { stdout, stderr, code } = await node('--input-type=module', '--eval', program).exited()
  expect({ stdout, stderr, code }).toEqual({ stdout: 'function weighted_round_robin\n', stderr: '', code: 0 })
})

test('npm installs each dependency of the library once, and the licences of the built-in libraries', () => {
  const modules = join(folder, 'node_modules')
  expect(existsSync(join(modules, 'disco-registry/dist/bundle/THIRD-PARTY-NOTICES.txt'))).toBe(true)
  const copies = (readdirSync(modules, { recursive: true }) as string[]).filter((path) =>
    path.endsWith('@grpc/grpc-js/package.json'),
  )
  // A policy that is registered in one copy would be unknown to the other.
  expect(copies).toEqual(['@grpc/grpc-js/package.json'])
  for (const left of ['@oclif', 'chalk', 'esbuild', 'typescript'])
    expect(readdirSync(modules)).not.toContain(left)
})

test(
  'a server registers and a client balances with the library, imported by its package name',
  async () => {
    await install('@grpc/proto-loader')
    await promisify(execFile)('npm', ['pkg', 'set', 'type=module'], { cwd: folder })
    cpSync('examples', folder, { recursive: true })
    const server = node('server.js', '2')
    await server.printed('serving hello at')
    const { stdout, stderr, code } = await node('client.js', '5').exited()
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    expect(stdout).toMatch(/^weighted_round_robin \{\} \{"127\.0\.0\.1:\d+":5\}$/m)
    expect((await server.end('SIGTERM')).code).toBe(0)
  },
  INSTALL_DEADLINE_MS,
)
