import { execFile, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Registry } from '../../src/registry/registry.js'
import { fetchNode, NODE_VERSIONS } from '../nodes/node-binary.js'
import { environmentOf, Process, until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { pack } from '../support/pack.js'
import { type Snippet, snippetsOfDocs } from '../support/snippets.js'

/** npm may have to download every package. */
const INSTALL_DEADLINE_MS = 240_000
const SNIPPETS = snippetsOfDocs()
const NODES = [
  ['this Node', () => process.execPath] as const,
  ...NODE_VERSIONS.map((version) => [`Node ${version}`, () => join(fetchNode(version), 'node')] as const),
]

let etcd: RealEtcd
let parent: string
/** An empty project with the published package, and a file for each snippet. */
let project: string
let registry: Registry
let server: Process
/** Addresses that were registered since the start of the current snippet. */
let registered: string[] = []
let background: Promise<unknown>
const stop = new AbortController()

beforeAll(async () => {
  etcd = await RealEtcd.start()
  parent = mkdtempSync(join(tmpdir(), 'disco-snippets-'))
  project = join(parent, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{"type":"module"}')
  const packages = [pack(parent), '@grpc/proto-loader', '@types/node@20']
  await inProject('npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', ...packages)
  cpSync('test/snippets', project, { recursive: true })
  for (const name of ['hello.proto', 'server.js']) cpSync(`examples/${name}`, join(project, name))
  for (const snippet of SNIPPETS) {
    writeFileSync(join(project, `${snippet.name}.ts`), snippet.code)
    writeFileSync(join(project, `${snippet.name}.mjs`), asJavaScript(snippet))
  }
  for (const name of ['dc1', 'dc2'])
    await inProject('npx', '--no', 'disco', '--', 'context', 'add', name, '--endpoints', etcd.endpoint)
  server = run(process.execPath, { DISCO_ENDPOINTS: etcd.endpoint }, 'server.js')
  await server.printed('serving hello')
  registry = await Registry.open({ endpoints: [etcd.endpoint], cache: false })
  background = Promise.all([follow(), changeWeights()])
}, INSTALL_DEADLINE_MS)

afterAll(async () => {
  stop.abort()
  await background
  registry.close()
  await server.end('SIGKILL')
  await etcd.stop()
  rmSync(parent, { recursive: true, force: true, maxRetries: 5 })
})

/** The environment of a reader of the docs, without an etcd endpoint. */
function environment(): Record<string, string> {
  const { DISCO_ENDPOINTS: _, ...env } = environmentOf('')
  const port = etcd.endpoint.replace(/^.*:/, '')
  const [config, cache] = [join(parent, 'config'), join(parent, 'cache')]
  return { ...env, ETCD_PORT: port, XDG_CONFIG_HOME: config, XDG_CACHE_HOME: cache }
}

async function inProject(command: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, ...environment() }
  const { stdout, stderr } = await promisify(execFile)(command, args, { cwd: project, env })
  return stdout + stderr
}

function run(node: string, env: Readonly<Record<string, string>>, ...args: string[]): Process {
  const stdio = ['ignore' as const, 'pipe' as const, 'pipe' as const]
  return new Process(spawn(node, args, { cwd: project, env: { ...environment(), ...env }, stdio }))
}

/** Records registered addresses until the end of the tests. */
async function follow(): Promise<void> {
  for await (const update of registry.follow('hello', stop.signal)) {
    if (update.type !== 'changes') continue
    for (const change of update.changes)
      if (change.type === 'put') registered.push(...change.endpoints.map(({ addr }) => addr))
  }
}

/** Changes the weight of the server until the end of the tests, because a snippet may wait for a change. */
async function changeWeights(): Promise<void> {
  const [, addr = ''] = /at (\S+),/.exec(server.stdout) ?? []
  for (let weight = 2; !stop.signal.aborted; weight = 5 - weight) {
    await registry.setWeight({ service: 'hello', addr }, weight)
    await delay(300)
  }
}

function asJavaScript({ language, code }: Snippet): string {
  if (language === 'js') return code
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
  return ts.transpileModule(code, { compilerOptions }).outputText
}

test('the docs contain snippets', () => {
  expect(SNIPPETS.map(({ place }) => place)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^README/), expect.stringMatching(/^docs\/api/)]),
  )
})

test.each([
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
])(
  'all snippets compile as strict TypeScript: module %s, moduleResolution %s',
  async (module, resolution) => {
    const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--noEmit']
    const lib = ['--target', 'es2022', '--lib', 'es2022,esnext.disposable', '--types', 'node']
    const args = [...strict, ...lib, '--module', module, '--moduleResolution', resolution]
    const files = SNIPPETS.map(({ name }) => `${name}.ts`)
    expect(await inProject(resolve('node_modules/.bin/tsc'), ...args, 'reader.d.ts', ...files)).toBe('')
  },
  180_000,
)

describe.each(NODES)('on %s', (_name, nodeBinary) => {
  test.each(SNIPPETS)('$place runs', async ({ name, code }) => {
    registered = []
    const args = ['--import', './reader.js', 'run.js', `${name}.mjs`]
    const { stdout, stderr, code: exit } = await run(nodeBinary(), {}, ...args).exited()
    expect({ stderr: exit === 0 ? '' : stderr, exit }).toEqual({ stderr: '', exit: 0 })
    if (code.includes('new Greeter(')) expect(stdout).toBe('Hello reader\n')
    const [, port] = /register\(\{[^}]*addr: '[\d.]*(:\d+)'/.exec(code) ?? []
    if (port === undefined) return
    await until(
      () => registered.some((addr) => addr.endsWith(port)),
      () => `a registration at ${port}`,
    )
    // A program that is not stopped by a signal leaves its registration until the lease expires.
    const keys = (await etcd.ctl('get', '/hello/', '--prefix', '--keys-only')).split('\n')
    const left = keys.filter((key) => key.endsWith(port))
    if (code.includes('SIGTERM') || code.includes('await using')) expect(left).toEqual([])
    for (const key of left) await etcd.ctl('del', key)
  })
})
