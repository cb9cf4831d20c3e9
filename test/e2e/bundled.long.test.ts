import { execFile, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fetchNode, NODE_VERSIONS } from '../nodes/node-binary.js'
import { environmentOf, Process } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { fetchGrpcJs } from '../support/grpc-js.js'
import { pack } from '../support/pack.js'

/** npm may have to download every package. */
const INSTALL_DEADLINE_MS = 240_000

const BUNDLERS = [
  'esbuild',
  'webpack',
  'rollup',
  ...['commonjs', 'json', 'node-resolve'].map((plugin) => `@rollup/plugin-${plugin}`),
]
const BUNDLES = ['esbuild.cjs', 'esbuild.mjs', 'webpack.cjs', 'rollup.mjs']
const NODES = [
  ['this Node', () => process.execPath] as const,
  ...NODE_VERSIONS.map((version) => [`Node ${version}`, () => join(fetchNode(version), 'node')] as const),
]

let etcd: RealEtcd
let parent: string
/** Project folder with the package and the bundlers installed. */
let project: string
/** Folder in which the bundles run, without any package. */
let elsewhere: string
const started: Process[] = []

beforeAll(async () => {
  etcd = await RealEtcd.start()
  parent = mkdtempSync(join(tmpdir(), 'disco-bundled-'))
  project = join(parent, 'project')
  elsewhere = join(parent, 'elsewhere')
  cpSync('test/nodes/program', project, { recursive: true })
  writeFileSync(join(project, 'package.json'), '{"type":"module"}')
  const packages = [pack(parent), ...BUNDLERS, '@types/node@20']
  await inProject('npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', ...packages)
}, INSTALL_DEADLINE_MS)

afterAll(async () => {
  await Promise.all(started.map((process) => process.end('SIGKILL')))
  await etcd.stop()
  rmSync(parent, { recursive: true, force: true, maxRetries: 5 })
})

async function inProject(command: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(command, args, { cwd: project })
  return stdout + stderr
}

function run(node: string, folder: string, ...args: string[]): Process {
  const env = environmentOf(etcd.endpoint)
  const running = new Process(spawn(node, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] }))
  started.push(running)
  return running
}

describe('a client and a server, each bundled into one file, without any package beside it', () => {
  beforeAll(async () => {
    await inProject(process.execPath, 'bundle.js')
    mkdirSync(elsewhere)
    cpSync(join(project, 'out'), elsewhere, { recursive: true })
  }, INSTALL_DEADLINE_MS)

  describe.each(NODES)('on %s', (_name, nodeBinary) => {
    test.each(BUNDLES)('register, call and drain when built as %s', async (bundle) => {
      const node = nodeBinary()
      const server = run(node, elsewhere, bundle, 'server')
      await server.printed('registered')
      expect(await run(node, elsewhere, bundle, 'client').exited()).toMatchObject({
        stdout: 'hello\n',
        stderr: '',
        code: 0,
      })
      server.child.kill('SIGTERM')
      expect(await server.exited()).toMatchObject({ stdout: 'registered\ndrained\n', stderr: '', code: 0 })
    })
  })
})

test.each([
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
])(
  'the types of the package compile in a strict program: --module %s --moduleResolution %s',
  async (module, resolution) => {
    const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--noEmit']
    const args = [...strict, '--target', 'es2022', '--module', module, '--moduleResolution', resolution]
    expect(await inProject(resolve('node_modules/.bin/tsc'), ...args, 'typed.ts')).toBe('')
  },
  180_000,
)

test('a program with grpc-js 1.13 gets an error that names the version found and the version needed', async () => {
  const old = join(parent, 'old')
  mkdirSync(join(old, 'node_modules/@grpc'), { recursive: true })
  symlinkSync(fetchGrpcJs('1.13.4'), join(old, 'node_modules/@grpc/grpc-js'))
  cpSync(join(project, 'node_modules/disco-registry'), join(old, 'node_modules/disco-registry'), {
    recursive: true,
  })
  const own = ['@grpc', 'disco-registry', '.bin', '.package-lock.json']
  for (const name of readdirSync(join(project, 'node_modules')).filter(
    (installed) => !own.includes(installed),
  ))
    symlinkSync(join(project, 'node_modules', name), join(old, 'node_modules', name))
  writeFileSync(
    join(old, 'main.mjs'),
    `import { install } from 'disco-registry/grpc'
     try { install() } catch (error) { console.log(error.code, error.message) }`,
  )
  const { stdout, stderr, code } = await run(process.execPath, old, 'main.mjs').exited()
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  expect(stdout).toBe(
    'USAGE disco-registry needs @grpc/grpc-js 1.14.0 or later; @grpc/grpc-js 1.13.4 lacks experimental.statusOrFromValue, statusOrFromError\n',
  )
})
