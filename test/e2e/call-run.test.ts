import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { CallLineDoc } from '../../src/cli/call/document.js'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { callsOfHello, FROM_PROTO, interrupted, lines, SOON } from '../support/calls-of-hello.js'
import { registration } from '../support/etcd-state.js'
import { hundredGreeters, untilCalled } from '../support/greeters.js'
import { freePorts } from '../support/ports.js'
import { expectShape } from '../support/shape.js'

const hello = await callsOfHello()
const hundred = await hundredGreeters()
const [first, second, third, ...others] = hundred.all as [Greeter, Greeter, Greeter, ...Greeter[]]

describe('a run', () => {
  test('reports an endpoint without a server, and its documents and lines have the fields of their golden files', async () => {
    const [greeter, another] = [first, second]
    const [port] = await freePorts(1)
    await hello.put(greeter.addr, { weight: 3 })
    const tenLines = lines<CallLineDoc>(await hello.output('SayHello', '--n', '10', '-o', 'ndjson'))
    const [verbose] = lines<CallLineDoc>(await hello.output('SayHello', '-v', '-o', 'ndjson'))
    expectShape('call-line', ...tenLines, verbose)
    expect(tenLines[0]).toMatchObject({ headers: null, trailers: null })
    expect(verbose).toMatchObject({ headers: { 'content-type': ['application/grpc+proto'] }, trailers: {} })
    expect(tenLines.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    const failed = await hello.disco.run('call', 'hello', 'One', ...FROM_PROTO, '--json')
    // 64 + UNIMPLEMENTED
    expect(failed.code).toBe(76)
    await hello.put(`127.0.0.1:${port}`, { weight: 1 })
    const [one, table] = await Promise.all([
      hello.reportOf('--assert', 'errors<1%'),
      hello.output('SayHello', '--n', '5'),
    ])
    expect(one).toMatchObject({
      schema: 'disco.call/v1',
      calls: 1,
      reply: { endpoint: greeter.addr },
      unserved: [{ addr: `127.0.0.1:${port}`, share: 0.25, problem: 'connection refused' }],
    })
    expect(table).toContain(`PASS, but 25.0% of the weight is unserved: 127.0.0.1:${port} connection refused`)
    expect(table).toMatch(/^PASS, but .*\n.*5 calls, 5 OK/m)

    await hello.put(another.addr, { version: '2.0.0', weight: 1 })
    const restless = await startGreeter({ port: 0, maxConnectionAgeMs: 50 })
    await hello.put(restless.addr, { weight: 3 })
    const running = hello.startRun('--json')
    await untilCalled(another)
    await hello.etcd.ctl('del', registration('hello', another.addr, { version: '2.0.0' })[0])
    await untilCalled(greeter, 200)
    // Long enough for several connections of the restless server.
    await delay(500)
    const changing = await interrupted(running)
    restless.stop()
    expectShape('call', one, changing, JSON.parse(failed.stdout))
  })

  test('shows at which call an endpoint joined, changed its weight and left, and when it was last picked', async () => {
    const unserved = [...hundred.unserved, { addr: hundred.dead.goAway.addr, weight: 1 }]
    const placed = [...others.map(({ addr }) => ({ addr })), ...unserved]
    await hello.putAll(...placed.map((each) => ({ ...each, version: '1.0.0' })))
    await hello.put(first.addr, { version: '1.0.0' })
    await hello.put(second.addr, { version: '2.0.0' })
    const running = hello.startRun('--json')
    await untilCalled(first, 2)
    await hello.put(first.addr, { version: '1.0.0', weight: 3 })
    await hello.put(third.addr, { version: '1.0.0' })
    await untilCalled(third, 2)
    await hello.etcd.ctl('del', registration('hello', second.addr, { version: '2.0.0' })[0])
    await untilCalled(first, 40)
    const doc = await interrupted(running)
    expect(doc).toMatchObject({ interrupted: true, failures: {}, misrouted: 0, verdict: { result: 'pass' } })
    expect(doc.changes).toEqual([
      expect.objectContaining({ type: 'weight', addr: first.addr, from: 1, to: 3, reason: null }),
      expect.objectContaining({ type: 'joined', addr: third.addr, from: null, to: 1, reason: null }),
      expect.objectContaining({ type: 'left', addr: second.addr, reason: 'gone from the registry' }),
    ])
    const [weighed, joined, left] = doc.changes.map(({ atCall }) => atCall)
    // Changes that arrive within 20 ms of each other reach the balancer together.
    expect(joined).toBeGreaterThanOrEqual(weighed ?? 0)
    expect(left).toBeGreaterThan(joined ?? 0)
    expect(doc.failovers).toHaveLength(1)
    const [failover] = doc.failovers
    expect(failover?.addr).toBe(second.addr)
    // The balancer receives the deletion up to 20 ms late, together with other changes. A pick may happen in between.
    if (failover?.picksAfter === 0) expect(failover.lastPickMs).toBeLessThanOrEqual(0)
    else expect(failover?.lastPickMs).toBeGreaterThan(0)
    expect(doc.versions.map(({ version, endpoints }) => [version, endpoints])).toEqual([
      ['1.0.0', placed.length + 2],
      ['2.0.0', 1],
    ])
    const inAll = doc.versions.reduce((sum, { picks }) => sum + picks, 0)
    expect(inAll).toBe(doc.calls)
    expect(doc.histogram.reduce((sum, band) => sum + band.calls, 0)).toBe(doc.calls)
  })

  test('at a rate has as many calls due as the rate and the duration give, and reports the calls that it did not start', async () => {
    await hundred.register(hello.etcd)
    const doc = await hello.reportOf('--rate', '50', '--duration', '2s')
    // On a busy machine the client may be delayed at the end of the two seconds.
    const { due, notStarted, unfinished } = doc.starts
    expect({ due, accountedFor: doc.calls + notStarted + unfinished }).toEqual({
      due: 100,
      accountedFor: 100,
    })
    expect(doc.calls).toBeGreaterThan(25)
    expect(doc.elapsedMs).toBeGreaterThan(1_950)
  })

  test('shows on a terminal how many endpoints are ready while it connects', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    await Promise.all([hello.put(first.addr), hello.put(`127.0.0.1:${port}`)])
    const args = ['call', 'hello', 'SayHello', '--n', '2', ...SOON]
    const running = hello.disco.onTerminal(120, 30, ...args)
    await running.printed('connecting to hello: 1/2 ready…')
    const { stdout } = await running.exited()
    silent.close()
    expect(stdout).toContain('2 calls, 2 OK')
  })
})

test('plaintext to an address outside private networks causes a warning; to private addresses it does not', async () => {
  await hello.put(first.addr)
  expect((await hello.run()).stderr).not.toContain('Plaintext')
  await hello.put('nobody.invalid:443')
  const { stderr, code } = await hello.run()
  expect(stderr).toContain('! Plaintext to nobody.invalid:443, outside of private networks: --tls encrypts')
  expect(code).toBe(0)
})
