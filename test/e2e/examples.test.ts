import { execFile, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client, credentials } from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { POLICIES } from '../../src/policies/index.js'
import { Process, until } from '../support/disco.js'
import { type Etcd, RealEtcd } from '../support/etcd.js'
import { leaseIds } from '../support/etcd-state.js'
import { sharedEtcd } from '../support/shared-etcd.js'

let etcd: Etcd
let cacheFolder: string
const started: Process[] = []

beforeAll(async () => {
  etcd = await sharedEtcd()
  cacheFolder = mkdtempSync(join(tmpdir(), 'disco-cache-'))
})
afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.end('SIGKILL')))
})
afterAll(async () => {
  rmSync(cacheFolder, { recursive: true, maxRetries: 5 })
})

function example(name: string, ...args: string[]): Process {
  return exampleOn(etcd, name, ...args)
}

function exampleOn({ endpoint }: Etcd, name: string, ...args: string[]): Process {
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, [`examples/${name}.js`, ...args], {
    env: { PATH, DISCO_ENDPOINTS: endpoint, XDG_CACHE_HOME: cacheFolder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const running = new Process(child)
  started.push(running)
  return running
}

async function server(weight: number): Promise<{ process: Process; addr: string }> {
  const process = example('server', String(weight))
  await process.printed('serving hello at')
  const [, addr = ''] = /at (\S+),/.exec(process.stdout) ?? []
  return { process, addr }
}

test('the example server registers, drains, deregisters and finishes on SIGTERM; the client balances under several policies', async () => {
  const [light, heavy] = await Promise.all([server(1), server(3)])
  const { stdout, stderr, code } = await example('client', '40').exited()
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  const lines = stdout.trimEnd().split('\n')
  const seen = new Set<string>()
  for (const line of lines) {
    const [, policy = '', counts = ''] = /^(\w+) \{.*?\} (\{[^{]*\})$/.exec(line) ?? []
    seen.add(policy)
    const perEndpoint = JSON.parse(counts) as Record<string, number>
    expect(Object.values(perEndpoint).reduce((sum, count) => sum + count)).toBe(40)
    expect([light.addr, heavy.addr]).toEqual(expect.arrayContaining(Object.keys(perEndpoint)))
    if (policy === 'pick_first') expect(Object.keys(perEndpoint)).toHaveLength(1)
  }
  expect(POLICIES.map(({ name }) => name)).toEqual(expect.arrayContaining([...seen]))
  expect(seen.size).toBeGreaterThan(1)

  const calling = example('client', '2000')
  await calling.printed('weighted_round_robin')
  light.process.child.kill('SIGTERM')
  expect(await light.process.exited()).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/serving .*\nweight 0\nderegistered\nevery call was answered\n$/),
  })
  expect((await etcd.ctl('get', '/hello/', '--prefix', '--keys-only')).trim()).toBe(
    `/hello/1.0.0/${heavy.addr}`,
  )
  expect(calling.child.exitCode, 'the client had ended before the server left').toBeNull()
  expect(await calling.exited()).toMatchObject({ code: 0, stderr: '' })

  heavy.process.child.kill('SIGTERM')
  const last = await heavy.process.exited()
  expect(last).toMatchObject({ code: 0, stderr: '' })
  expect(last.stdout).toContain('deregistered')
  expect(await leaseIds(etcd)).toEqual([])
  // 20,000 calls, one after the other.
}, 180_000)

test('an outage of etcd at SIGTERM does not fail running calls of the example server', async () => {
  await using own = await RealEtcd.start()
  const process = exampleOn(own, 'server', '1')
  await process.printed('serving hello at')
  const [, addr = ''] = /at (\S+),/.exec(process.stdout) ?? []
  const client = new Client(addr, credentials.createInsecure())
  try {
    await promisify(client.waitForReady.bind(client))(Date.now() + 20_000)
    // The request is sent after SIGTERM, so that the call runs until then.
    const { call, reply } = openCall(client)
    await own.kill()
    process.child.kill('SIGTERM')
    await until(
      () => process.stderr !== '',
      () => 'the end of the drain',
    )
    call.end(NAME_A)
    expect(await reply).toContain('Hello A')
    expect(await process.exited()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/every call was answered\n$/),
    })
  } finally {
    client.close()
  }
})

/** A HelloRequest with the name `A`. */
const NAME_A = Buffer.from([0x0a, 1, 0x41])

/** A call of SayHello whose request is not yet sent. */
function openCall(client: Client) {
  const bytes = (value: Buffer) => value
  const path = '/helloworld.Greeter/SayHello'
  let settle: (error: Error | null, reply?: Buffer) => void = () => undefined
  const reply = new Promise<string>((resolve, reject) => {
    settle = (error, message) => (error ? reject(error) : resolve(String(message)))
  })
  const call = client.makeClientStreamRequest<Buffer, Buffer>(path, bytes, bytes, (...end) => settle(...end))
  reply.catch(() => undefined)
  return { call, reply }
}

test('the policies entry point imports no package and no Node module', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'disco-policies-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    for (const part of ['policies', 'domain']) cpSync(`dist/${part}`, join(folder, part), { recursive: true })
    writeFileSync(
      join(folder, 'main.js'),
      `import { findPolicy, POLICIES } from './policies/index.js'
       console.log(POLICIES.length, findPolicy('wrr').name)`,
    )
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'main.js')])
    expect(stdout).toBe(`${POLICIES.length} weighted_round_robin\n`)
  } finally {
    rmSync(folder, { recursive: true, maxRetries: 5 })
  }
})

test('the entry points export everything that their users import', async () => {
  const script = `
    import * as registry from 'disco-registry'
    import * as grpc from 'disco-registry/grpc'
    import * as policies from 'disco-registry/policies'
    console.log(JSON.stringify([registry, grpc, policies].map((face) => Object.keys(face).sort())))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  const [registry, grpc, policies] = JSON.parse(stdout) as string[][]
  expect(registry).toEqual(
    expect.arrayContaining(['DiscoError', 'Registry', 'parseWeightChange', 'register']),
  )
  expect(grpc).toEqual(['channelOptions', 'install', 'markCall', 'setHashKey', 'setPin', 'targetOf'])
  expect(policies).toEqual([
    'EndpointBalancer',
    'NO_KEYS',
    'POLICIES',
    'findPolicy',
    'listPolicies',
    'seeded',
  ])
})
