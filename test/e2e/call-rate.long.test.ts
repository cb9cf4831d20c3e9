import { afterEach, expect, test } from 'vitest'
import type { CallDoc } from '../../src/cli/call/document.js'
import { startGreeter } from '../../src/dev/greeter.js'
import { callsOfHello, SOON } from '../support/calls-of-hello.js'
import { Disco } from '../support/disco.js'
import { GreeterProcess } from '../support/greeter-process.js'
import { hundredGreeters, untilCalled } from '../support/greeters.js'

const hello = await callsOfHello()
const hundred = await hundredGreeters()

/** A heap for a few thousand outstanding calls. The calls due in two seconds at 50,000/s need ten times as much. */
const small = new Disco(hello.etcd.endpoint, { NODE_OPTIONS: '--max-old-space-size=128' })
afterEach(() => small.stopAll())

/** Checks that every call is counted once. */
function expectConsistent({ calls, ok, failures, endpoints, starts }: CallDoc): void {
  expect(starts.due).toBe(starts.started + starts.notStarted)
  expect(starts.started).toBe(calls + starts.unfinished)
  expect(calls).toBe(ok + Object.values(failures).reduce((sum, failed) => sum + failed, 0))
  expect(endpoints.reduce((sum, { picks }) => sum + picks, 0)).toBeLessThanOrEqual(starts.started)
}

test('at a rate above the capacity of the client, a run on a small heap ends on time, and reports a saturated client', async () => {
  await using one = await GreeterProcess.start()
  await using other = await GreeterProcess.start()
  // Only two endpoints serve, each in a process of its own. A hundred in the test process would share its core with the
  // work of the test, and be saturated before the client is.
  await hello.putAll({ addr: one.addr }, { addr: other.addr }, ...hundred.unserved)
  const args = [
    'call',
    'hello',
    'SayHello',
    ...SOON,
    '--rate',
    '50000',
    '--duration',
    '2s',
    '--strict',
    '--json',
  ]
  const { stdout, stderr, code } = await small.run(...args)
  // --strict fails, because not all due calls were started.
  expect(code, stderr).toBe(8)
  const doc = JSON.parse(stdout) as CallDoc
  expectConsistent(doc)
  expect(doc).toMatchObject({ failures: {}, verdict: { result: 'pass' } })
  expect(doc.starts).toMatchObject({ due: 100_000, unfinished: 0, saturated: 'client' })
  expect(doc.starts.notStarted).toBeGreaterThan(10_000)
  // The latency of a call includes the time by which it started late.
  expect(doc.latencyMs.max).toBeGreaterThanOrEqual(doc.starts.maxLateMs)
  expect(doc.starts.maxLateMs).toBeGreaterThan(500)
})

test('at a rate above the capacity of the client, Ctrl-C ends a run with a report of the calls so far', async () => {
  await hundred.register(hello.etcd)
  const args = ['call', 'hello', 'SayHello', ...SOON, '--rate', '50000', '--n', '10000000', '--json']
  const running = small.start(...args)
  await untilCalled(hundred, 2_000)
  const { stdout, code } = await running.end('SIGINT')
  expect(code).toBe(130)
  const doc = JSON.parse(stdout) as CallDoc
  expectConsistent(doc)
  expect(doc.interrupted).toBe(true)
  expect(doc.starts.notStarted).toBeGreaterThan(0)
  expect(doc.starts.due).toBeLessThan(10_000_000)
})

test('at a rate above the capacity of the backends, outstanding calls stay within the limit, and the backends are reported', async () => {
  const slow = await startGreeter({ port: 0, latencyMs: 100 })
  try {
    // Only the slow endpoint serves: its latency and the limit determine the number of calls.
    await hello.putAll({ addr: slow.addr }, ...hundred.unserved)
    // At most 10 calls at a time that last 100 ms each: at most 100 calls per second.
    const args = ['--rate', '1000', '--duration', '1500ms', '-c', '10']
    const [doc, table] = await Promise.all([hello.reportOf(...args), hello.run(...args)])
    expectConsistent(doc)
    expect(doc).toMatchObject({ failures: {}, starts: { due: 1_500, limit: 10, saturated: 'backends' } })
    expect(doc.calls).toBeLessThanOrEqual(170)
    expect(table.code).toBe(0)
    expect(table.stdout).toMatch(
      /^PASS, but 75\.0% of the weight is unserved: .*; 1,\d\d\d of 1,500 calls that were due were not started: the backends were saturated at \d+\/s, with the client at \d+% of a core and 10 calls under way, the limit \(-c\)\.$/m,
    )
  } finally {
    slow.stop()
  }
})

test('more workers than the heap allows are limited, and end on Ctrl-C', async () => {
  const mute = await startGreeter({ port: 0, latencyMs: 600_000 })
  try {
    // Only one endpoint accepts calls, and it never answers, so that all workers are busy.
    await hello.putAll({ addr: mute.addr }, ...hundred.unserved)
    const args = [
      'call',
      'hello',
      'SayHello',
      ...SOON,
      '-c',
      '100000',
      '--duration',
      '10m',
      '--deadline',
      '10m',
      '--json',
    ]
    const running = small.start(...args)
    await untilCalled(mute, 1_000)
    const { stdout, stderr, code } = await running.end('SIGINT')
    expect(code, stderr).toBe(130)
    const doc = JSON.parse(stdout) as CallDoc
    expectConsistent(doc)
    expect(doc.starts.limit).toBeLessThan(20_000)
    expect(doc.starts.started).toBeLessThanOrEqual(doc.starts.limit)
    expect(stderr).toContain(`! Limited to ${doc.starts.limit} outstanding calls`)
  } finally {
    mute.stop()
  }
})
