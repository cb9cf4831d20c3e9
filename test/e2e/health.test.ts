import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { Disco, until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { registration, revision, wipe } from '../support/etcd-state.js'
import { freePorts } from '../support/ports.js'
import { ResidentTool } from '../support/resident-tool.js'
import { expectShape } from '../support/shape.js'

let etcd: RealEtcd
let disco: Disco
let tool: ResidentTool
let serving: Greeter
let plain: Greeter
let down: string

beforeAll(async () => {
  etcd = await RealEtcd.start()
  tool = new ResidentTool(etcd.endpoint)
  serving = await startGreeter({ port: 0 })
  plain = await startGreeter({ port: 0, health: false })
  down = `127.0.0.1:${(await freePorts(1))[0]}`
})
afterAll(async () => {
  serving.stop()
  plain.stop()
  await tool[Symbol.asyncDispose]()
  await etcd.stop()
})
beforeEach(async () => {
  disco = new Disco(etcd.endpoint)
  serving.setHealth('SERVING')
  for (const addr of [serving.addr, plain.addr, down]) await put(addr)
})
afterEach(async () => {
  await disco.stopAll()
  await wipe(etcd)
})

async function put(addr: string, weight = 1): Promise<void> {
  await etcd.ctl('put', ...registration('hello', addr, { weight }))
}

function byAddr<Doc extends { addr: string }>(docs: readonly Doc[], addr: string): Doc | undefined {
  return docs.find((doc) => doc.addr === addr)
}

describe('health', () => {
  test('checks every endpoint: SERVING, no grpc.health.v1, no server; exits 7 if one is not healthy', async () => {
    await etcd.ctl('put', '/hello/x', 'not JSON')
    const { code, stdout, stderr } = await tool.run('health', 'hello')
    expect(code).toBe(7)
    expect(stderr).toContain('2 of 4 endpoints healthy')
    expect(stdout).toMatch(new RegExp(`● +${serving.addr} +1 +SERVING +[\\d.]+m?s`))
    expect(stdout).toMatch(new RegExp(`● +${plain.addr} +1 +READY +[\\d.]+m?s +has no grpc.health.v1`))
    expect(stdout).toMatch(new RegExp(`✗ +${down} +1 +connection refused`))
    expect(stdout).toMatch(/✗ .*value is not JSON/)
    const json = await tool.run('health', 'hello', '--json')
    const doc = JSON.parse(json.stdout)
    expectShape('health', doc)
    expect(doc).toMatchObject({ schema: 'disco.health/v1', healthy: 2, rev: String(await revision(etcd)) })
    expect(byAddr(doc.endpoints, plain.addr)).toMatchObject({ healthy: true, status: 'UNIMPLEMENTED' })
    expect(byAddr(doc.endpoints, down)).toMatchObject({ healthy: false, connected: false, status: null })
    const lines = (await tool.run('health', 'hello', '-o', 'ndjson')).stdout.trimEnd().split('\n')
    expectShape('endpoint-health', ...lines.map((line) => JSON.parse(line) as unknown))
    const names = (await tool.run('health', 'hello', '-o', 'name')).stdout.trimEnd().split('\n')
    expect(names.toSorted()).toEqual([serving.addr, plain.addr].toSorted())
  })

  test('exits 0 if all endpoints are healthy, 7 for NOT_SERVING, and 4 for an unknown service', async () => {
    await etcd.ctl('del', `/hello/${down}`)
    expect((await tool.run('health', 'hello')).code).toBe(0)
    serving.setHealth('NOT_SERVING')
    const { code, stdout } = await tool.run('health', 'hello', '--of', 'helloworld.Greeter')
    expect(code).toBe(7)
    expect(stdout).toContain('NOT_SERVING')
    expect((await tool.run('health', 'helo')).code).toBe(4)
  })

  test('--watch prints each endpoint once, and then changes', async () => {
    const watching = disco.start('health', 'hello', '--watch', '--probe-timeout', '30s')
    await until(
      () => watching.events().length >= 3,
      () => 'three events',
    )
    expect(byAddr(watching.events() as never, serving.addr)).toMatchObject({ type: 'healthy' })
    expect(byAddr(watching.events() as never, down)).toMatchObject({ type: 'unhealthy' })
    serving.setHealth('NOT_SERVING')
    await watching.printed('"status":"NOT_SERVING"')
    await etcd.ctl('del', `/hello/${down}`)
    await watching.printed('"type":"gone"')
    const { code } = await watching.end('SIGINT')
    expect(code).toBe(130)
    const events = watching.events()
    expectShape('health-event', ...events)
    expect(events.slice(3)).toMatchObject([
      { type: 'unhealthy', addr: serving.addr, status: 'NOT_SERVING' },
      { type: 'gone', addr: down },
    ])
  })

  test('--watch exits 3 without etcd', async () => {
    const away = await new Disco('127.0.0.1:1').run('health', 'hello', '--watch')
    expect(away.code).toBe(3)
  })
})

describe('ls --probe', () => {
  test('shows the health of each endpoint, and the number of ready endpoints of each service', async () => {
    const { stdout } = await tool.run('ls', 'hello', '--probe')
    const [head = ''] = stdout.split('\n')
    expect(head).toMatch(/SHARE +READY +TTL/)
    expect(stdout).toMatch(new RegExp(`${serving.addr} .*SERVING`))
    expect(stdout).toMatch(new RegExp(`✗ +${down} .*connection refused`))
    const doc = JSON.parse((await tool.run('ls', 'hello', '--probe', '--json')).stdout)
    expect(byAddr(doc.endpoints, serving.addr)).toMatchObject({ ready: true, health: 'SERVING' })
    expect(byAddr(doc.endpoints, plain.addr)).toMatchObject({ ready: true, health: 'READY' })
    expect(byAddr(doc.endpoints, down)).toMatchObject({ ready: false, health: 'connection refused' })
    expect((await tool.run('ls', '--probe')).stdout).toMatch(/ENDPOINTS +READY[\s\S]*hello +3 +2\/3/)
    expect((await tool.run('ls')).stdout).not.toContain('READY')
  })
})

describe('wait', () => {
  test('shows its condition and the current state, and ends once the condition holds', async () => {
    const waiting = disco.start(
      'wait',
      'hello',
      '--for',
      'healthy>=3',
      '--for',
      `weight ${serving.addr}==0`,
      '--for',
      `gone ${down}`,
      '--timeout',
      '2m',
      '--json',
    )
    await waiting.printed(
      `→ waiting for hello: healthy>=3, weight ${serving.addr}==0, gone ${down} (120s at most)`,
    )
    await waiting.printed(`now: healthy 2, ${serving.addr} has weight 1, ${down} is registered`)
    await put(serving.addr, 0)
    await etcd.ctl('del', `/hello/${down}`)
    const third = await startGreeter({ port: 0 })
    await put(third.addr)
    const { code, stdout } = await waiting.exited()
    third.stop()
    expect(code).toBe(0)
    const doc = JSON.parse(stdout)
    expectShape('wait', doc, { ...doc, ready: null, healthy: null })
    expect(doc).toMatchObject({ schema: 'disco.wait/v1', service: 'hello', endpoints: 3, healthy: 3 })
  })

  test('waits for a service that does not exist yet, and for etcd', async () => {
    const waiting = disco.start('wait', 'newcomer', '--for', 'endpoints>=1', '--timeout', '2m')
    await waiting.printed('now: endpoints 0')
    await etcd.kill()
    await waiting.printed('; waiting for it')
    await etcd.restart()
    await etcd.ctl('put', ...registration('newcomer', '127.0.0.1:1001'))
    const { code, stdout } = await waiting.exited()
    expect(code).toBe(0)
    expect(stdout).toMatch(/^✓ newcomer: endpoints>=1 after .* \(rev \d+\)\n$/)
  })

  test('--timeout 0 checks the condition once', async () => {
    const now = await tool.run('wait', 'hello', '--for', 'ready>=2', '--timeout', '0')
    expect(now).toMatchObject({ code: 0, stdout: expect.stringContaining('✓ hello: ready>=2') as string })
    const not = await tool.run('wait', 'hello', '--for', 'ready>=3', '--timeout', '0')
    expect(not.code).toBe(5)
    expect(not.stderr).toContain('✗ hello does not meet ready>=3: ready 2')
  })

  test('exits 130 if interrupted, and 2 for an invalid condition', async () => {
    const waiting = disco.start('wait', 'hello', '--for', 'endpoints>=9')
    await waiting.printed('now:')
    expect((await waiting.end('SIGINT')).code).toBe(130)
    const bad = await tool.run('wait', 'hello', '--for', 'ready')
    expect(bad.code).toBe(2)
    expect(bad.stderr).toContain('Invalid condition "ready"')
    expect((await tool.run('wait', 'hello')).code).toBe(2)
  })
})
