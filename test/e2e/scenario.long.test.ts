import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { CallDoc, CallLineDoc } from '../../src/cli/call/document.js'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { AcceptedConnections } from '../support/accepted-connections.js'
import { interrupted } from '../support/calls-of-hello.js'
import { Disco, type Process, type Ran, until } from '../support/disco.js'
import type { Etcd } from '../support/etcd.js'
import { GreeterProcess } from '../support/greeter-process.js'
import { sharedEtcd } from '../support/shared-etcd.js'

/**
 * Weights of the scenario in the source documents: five servers, one of which takes ten times as many calls as another.
 */
const WEIGHTS = [1, 1, 1, 1, 10]

/** More calls than any test waits for, so that a run ends only by a signal. */
const ENDLESS = String(100_000_000)

let etcd: Etcd
let registrars: Disco
let disco: Disco
let greeters: Greeter[]

beforeAll(async () => {
  etcd = await sharedEtcd()
  registrars = new Disco(etcd.endpoint)
  greeters = await Promise.all(WEIGHTS.map(() => startGreeter({ port: 0 })))
})
afterAll(async () => {
  await registrars.stopAll()
  for (const greeter of greeters) greeter.stop()
})
beforeEach(() => {
  disco = new Disco(etcd.endpoint)
})
afterEach(() => disco.stopAll())

/** The default TTL is long enough for a busy machine. A test that waits for an expiry sets a shorter one. */
async function register(from: Disco, addr: string, weight: number, ttl = '60'): Promise<Process> {
  const args = ['--version', '1.0.0', '--ttl', ttl, '--weight', String(weight)]
  const held = from.start('register', 'hello', addr, ...args)
  await held.printed('"type":"added"')
  return held
}

function keyOf(addr: string): string {
  return `/hello/1.0.0/${addr}`
}

/** Runs calls, and checks the picks in the report against the counts of the servers. */
async function call(...args: string[]): Promise<{ doc: CallDoc; counts: number[] }> {
  const before = greeters.map((greeter) => greeter.calls())
  const ran = await disco.run('call', 'hello', 'SayHello', '--json', ...args)
  const doc = reportOf(ran)
  const counts = greeters.map((greeter, index) => greeter.calls() - (before[index] ?? 0))
  expect(greeters.map(({ addr }) => picksOf(doc, addr))).toEqual(counts)
  return { doc, counts }
}

function reportOf(ran: Ran): CallDoc {
  expect(ran).toMatchObject({ code: 0, stderr: '' })
  return JSON.parse(ran.stdout) as CallDoc
}

function picksOf(doc: CallDoc, addr: string): number {
  return doc.endpoints.find((endpoint) => endpoint.addr === addr)?.picks ?? 0
}

function expectWithinTwo(counts: readonly number[], wanted: readonly number[]): void {
  for (const [index, count] of counts.entries()) {
    expect(Math.abs(count - (wanted[index] ?? 0)), `${counts} against ${wanted}`).toBeLessThanOrEqual(2)
  }
}

function allCalls(): number {
  return greeters.reduce((sum, greeter) => sum + greeter.calls(), 0)
}

/** Waits until the servers have answered `more` further calls. */
async function untilCalled(more: number): Promise<void> {
  const from = allCalls()
  await until(
    () => allCalls() >= from + more,
    () => `${more} calls`,
  )
}

describe('five servers of weights 1, 1, 1, 1 and 10', () => {
  beforeAll(async () => {
    await Promise.all(greeters.map(({ addr }, index) => register(registrars, addr, WEIGHTS[index] ?? 0)))
  })

  test('are stored in exactly the layout of the source documents as shown by etcdctl, each under a lease', async () => {
    const leases = new Set<string | undefined>()
    for (const [index, { addr }] of greeters.entries()) {
      const value = await etcd.ctl('get', keyOf(addr), '--print-value-only')
      expect(value).toBe(`{"name":"hello","addr":"${addr}","version":"1.0.0","weight":${WEIGHTS[index]}}\n`)
      // JSON.parse would round the lease id, which has more digits than a number can hold.
      const [, lease] = /"lease":(\d+)/.exec(await etcd.ctl('get', keyOf(addr), '-w', 'json')) ?? []
      leases.add(lease)
    }
    leases.delete(undefined)
    expect(leases.size).toBe(5)
  })

  test('receive 2 each of 10 calls under round_robin', async () => {
    const { doc, counts } = await call('--n', '10', '--policy', 'round_robin')
    expect(counts).toEqual([2, 2, 2, 2, 2])
    expect(doc).toMatchObject({ policy: 'round_robin', calls: 10, ok: 10, verdict: { result: 'pass' } })
  })

  test('receive 7, 1, 1, 1 and 0 of 10 calls under weighted_round_robin, within 2', async () => {
    const { doc, counts } = await call('--n', '10', '--policy', 'weighted_round_robin')
    expectWithinTwo(
      counts.toSorted((a, b) => b - a),
      [7, 1, 1, 1, 0],
    )
    expect(counts[4]).toBe(Math.max(...counts))
    expect(doc).toMatchObject({ calls: 10, ok: 10, failures: {}, verdict: { result: 'pass', limit: 2 } })
  })

  test('receive 1,000 and 100 each of 1,400 calls under weighted_round_robin, within 2', async () => {
    const { doc, counts } = await call('--n', '1400', '--policy', 'weighted_round_robin')
    expectWithinTwo(counts, [100, 100, 100, 100, 1000])
    expect(doc).toMatchObject({ calls: 1400, ok: 1400, verdict: { result: 'pass' } })
    const expected = doc.endpoints.map((endpoint) => endpoint.expected)
    expect(expected).toEqual([1000, 100, 100, 100, 100])
  })

  test('are judged by a chi-square test under a random policy, whatever its result', async () => {
    const ran = await disco.run('call', 'hello', 'SayHello', '--json', '--n', '280', '--policy', 'wrandom')
    const { verdict } = JSON.parse(ran.stdout) as CallDoc
    expect(verdict).toMatchObject({ test: 'chi-square', limit: null, neededCalls: 26 })
    expect(verdict.equalSplitP).toBeLessThan(1e-9)
    expect([verdict.result, ran.code]).toEqual((verdict.p ?? 0) < 0.01 ? ['fail', 8] : ['pass', 0])
  })

  test('lose no call and no connection while a weight changes, one endpoint joins, and another leaves and is then killed', async () => {
    const [first, ...others] = greeters
    if (!first) throw new Error('five greeters were started')
    await using victim = await GreeterProcess.start()
    const registrar = await register(disco, victim.addr, 10)
    using connections = new AcceptedConnections()
    const newcomer = await startGreeter({ port: 0 })
    try {
      const running = disco.start('call', 'hello', 'SayHello', '--json', '--n', ENDLESS)
      await untilCalled(200)
      const added = register(disco, newcomer.addr, 3)
      const changed = await Promise.all([
        disco.run('weight', 'hello', first.addr, '5'),
        disco.run('unregister', 'hello', victim.addr),
        added,
      ])
      expect(changed.slice(0, 2)).toMatchObject([{ code: 0 }, { code: 0 }])
      expect((await registrar.exited()).code).toBe(0)
      await victim.kill()
      const calledBefore = newcomer.calls()
      await until(
        () => newcomer.calls() > calledBefore + 50,
        () => 'calls to the newcomer',
      )
      const doc = await interrupted(running)
      expect(doc).toMatchObject({ interrupted: true, ok: doc.calls, failures: {}, unserved: [] })
      expect(doc.verdict).toMatchObject({ result: 'pass' })
      expect(picksOf(doc, victim.addr)).toBeGreaterThan(0)
      expect(picksOf(doc, newcomer.addr)).toBe(newcomer.calls())
      expect(doc.endpoints.find(({ addr }) => addr === first.addr)?.weight).toBe(5)
      for (const greeter of [first, ...others, newcomer]) expect(connections.at(greeter)).toBe(1)
    } finally {
      newcomer.stop()
    }
  })

  test('lose no call when a further server is killed with its registrar, except calls sent to that server before its key expired', async () => {
    await using victim = await GreeterProcess.start()
    const registrar = await register(disco, victim.addr, 10, '2')
    const running = disco.start('call', 'hello', 'SayHello', '-o', 'ndjson', '--n', ENDLESS)
    await untilCalled(200)
    await Promise.all([registrar.end('SIGKILL'), victim.kill()])
    await until(
      async () => (await etcd.ctl('get', keyOf(victim.addr))) === '',
      () => 'the key to expire',
    )
    await untilCalled(500)
    const { stdout, code } = await running.end('SIGINT')
    expect(code).toBe(130)
    const calls = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as CallLineDoc)
    const failed = calls.filter(({ status }) => status !== 'OK')
    expect(failed.filter(({ addr }) => addr !== victim.addr)).toEqual([])
    const lastToVictim = calls.findLastIndex(({ addr }) => addr === victim.addr)
    expect(lastToVictim).toBeGreaterThan(0)
    expect(calls.length - lastToVictim).toBeGreaterThan(500)
  })
})
