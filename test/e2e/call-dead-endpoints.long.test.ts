import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { callsOfHello } from '../support/calls-of-hello.js'
import type { Placed } from '../support/etcd-state.js'
import { hundredGreeters } from '../support/greeters.js'

const hello = await callsOfHello()
const hundred = await hundredGreeters()
const { dead } = hundred
const [first, second] = hundred.all
if (!first || !second) throw new Error('there are a hundred')

/** Longer than the test may take: a call that waits for this deadline fails the test. */
const PATIENT = ['--connect-deadline', '10m']

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

test('a single call is sent to the first READY endpoint, regardless of the others', async () => {
  const others = [dead.refused, dead.mute, dead.swallowed, dead.reset]
  await hello.putAll({ addr: first.addr }, ...others.map((addr) => ({ addr })))
  const doc = await hello.reportOf(...PATIENT)
  expect(doc).toMatchObject({ calls: 1, ok: 1, reply: { endpoint: first.addr } })
  expect(doc.unserved.map(({ addr }) => addr).sort()).toEqual(others.toSorted())
  expect(doc.unserved.find(({ addr }) => addr === dead.mute)?.problem).toBe(
    'not waited for: still connecting',
  )
})

test('a pinned call waits for its endpoint, but if it is refused, only for one retry', async () => {
  await hello.putAll({ addr: first.addr }, { addr: dead.refused })
  const pinned = async (addr: string) => await hello.run('--policy', 'pinned', '--pin', addr, ...PATIENT)
  const [served, refused] = await Promise.all([pinned(first.addr), pinned(dead.refused)])
  expect(served).toMatchObject({ code: 0, stdout: expect.stringContaining(first.addr) })
  expect(refused.stderr).toContain(`The pinned endpoint ${dead.refused} is not READY`)
  // Reflection is sent to the pinned endpoint as well.
  expect(refused.code).toBe(7)
})

test('a counted run reports the unserved weight and its reason in the header, the verdict and the table', async () => {
  await hello.putAll(
    { addr: first.addr },
    { addr: second.addr },
    { addr: dead.refused },
    { addr: dead.mute, weight: 0 },
    { addr: '1.2.3.4' },
  )
  const args = ['--n', '40', '--strict', ...PATIENT]
  const [table, json] = await Promise.all([hello.run(...args), hello.run(...args, '--json')])
  expect(table.stdout).toContain('2 of 5 ready, 1 drained, 1 refused, 1 unusable in ')
  expect(table.stdout).toContain(
    `PASS, but 33.3% of the weight is unserved: ${dead.refused} connection refused.\n`,
  )
  expect(table.stdout).toMatch(/ ERR +NOTE$/m)
  expect(table.stdout).toMatch(new RegExp(`^${dead.refused} .* connection refused$`, 'm'))
  expect(table.stdout).toMatch(new RegExp(`^${dead.mute} .* drained$`, 'm'))
  expect(table.stdout).toMatch(/^1\.2\.3\.4 .* port/m)
  expect([table.code, json.code]).toEqual([8, 8])
  expect(JSON.parse(json.stdout)).toMatchObject({
    ready: { endpoints: 2, of: 3, registered: 5, drained: 1, refused: 1, connecting: 0, unusable: 1 },
    unserved: [{ addr: dead.refused, problem: 'connection refused' }],
  })
})

test('resolve and call name an endpoint that cannot be dialled, with the reason', async () => {
  await hello.putAll({ addr: '1.2.3.4' })
  const [resolved, called] = await Promise.all([hello.disco.run('resolve', 'hello'), hello.run(...PATIENT)])
  expect(resolved.stdout).toMatch(/^! 1\.2\.3\.4 is not dialled: .*port/m)
  expect(called.code).toBe(7)
  expect(called.stderr).toContain('hello has no endpoint that can be dialled')
  expect(called.stderr).toMatch(/1\.2\.3\.4 .*port/)
})

test('connections closed by servers are counted as reconnects with a reason, not as changes, and the run has a verdict', async () => {
  await hello.putAll(
    { addr: first.addr, weight: 1 },
    { addr: second.addr, weight: 3 },
    { addr: dead.goAway.addr, weight: 2 },
  )
  const doc = await hello.reportOf('--duration', '2s')
  expect(doc).toMatchObject({ failures: {}, changes: [], verdict: { result: 'pass' } })
  const own = doc.endpoints.find(({ addr }) => addr === dead.goAway.addr)
  expect(own?.reconnects).toBeGreaterThan(2)
  expect(own?.reconnectReasons).toEqual({ 'GOAWAY NO_ERROR': own?.reconnects })
  expect(doc.reconnects[0]).toMatchObject({ addr: dead.goAway.addr, reason: 'GOAWAY NO_ERROR' })
})

test('a run against 500 refused endpoints ends on a small heap, in which a garbage collection removes unreferenced objects', async () => {
  const refused = Array.from(
    { length: 500 },
    (_, at): Placed => ({
      addr: `127.0.1.${at % 250}:${9 + Math.floor(at / 250)}`,
    }),
  )
  for (let from = 0; from < refused.length; from += 100) {
    await hello.putAll(...refused.slice(from, from + 100))
  }
  await hello.putAll({ addr: first.addr })
  const flags = '--max-old-space-size=60 --expose-gc'
  const ran = await hello.disco
    .shell(`${process.execPath} ${flags} ${RUN} call hello SayHello --n 20 --json`)
    .exited()
  expect(ran.code, ran.stderr).toBe(0)
  expect(JSON.parse(ran.stdout)).toMatchObject({ calls: 20, ok: 20, ready: { endpoints: 1, refused: 500 } })
})

test('one message reports that the limit of open files was reached, and how to raise it', async () => {
  await hundred.register(hello.etcd)
  const ran = await hello.disco.shell('ulimit -n 64; disco call hello SayHello --n 20').exited()
  expect(ran.stderr).toContain(
    `hello has ${hundred.registered} endpoints, and this process may open 64 files at a time`,
  )
  expect(ran.stderr).toContain(`Raise the limit: ulimit -n ${hundred.registered + 100}`)
  expect([ran.code, ran.stdout]).toEqual([7, ''])
})
