import { afterEach, expect, test } from 'vitest'
import type { CallDoc } from '../../src/cli/call/document.js'
import { startGreeter } from '../../src/dev/greeter.js'
import { callsOfHello, SOON } from '../support/calls-of-hello.js'
import { Disco } from '../support/disco.js'
import { GreeterProcess } from '../support/greeter-process.js'
import { hundredGreeters, untilCalled } from '../support/greeters.js'

const hello = await callsOfHello()
const hundred = await hundredGreeters()

/** A heap that carries some thousand calls under way: what is due in two seconds at 50,000/s needs ten times as much. */
const small = new Disco(hello.etcd.endpoint, { NODE_OPTIONS: '--max-old-space-size=128' })
afterEach(() => small.stopAll())

/** No call is lost from the counts. */
function expectConsistent({ calls, ok, failures, endpoints, starts }: CallDoc): void {
  expect(starts.due).toBe(starts.started + starts.notStarted)
  expect(starts.started).toBe(calls + starts.unfinished)
  expect(calls).toBe(ok + Object.values(failures).reduce((sum, failed) => sum + failed, 0))
  expect(endpoints.reduce((sum, { picks }) => sum + picks, 0)).toBeLessThanOrEqual(starts.started)
}

test('above the capacity of the client, a run ends with its duration, in a small heap, and names the client', async () => {
  await using one = await GreeterProcess.start()
  await using other = await GreeterProcess.start()
  // Of those that serve, two of their own processes alone: a hundred in the process of the test would share its core
  // with what the test does, and be what is saturated.
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
  // Not all that was due was done, which --strict does not let pass.
  expect(code, stderr).toBe(8)
  const doc = JSON.parse(stdout) as CallDoc
  expectConsistent(doc)
  expect(doc).toMatchObject({ failures: {}, verdict: { result: 'pass' } })
  expect(doc.starts).toMatchObject({ due: 100_000, unfinished: 0, saturated: 'client' })
  expect(doc.starts.notStarted).toBeGreaterThan(10_000)
  // Those that were started late have waited, and their latency tells it.
  expect(doc.latencyMs.max).toBeGreaterThanOrEqual(doc.starts.maxLateMs)
  expect(doc.starts.maxLateMs).toBeGreaterThan(500)
})

test('above the capacity of the client, Ctrl-C ends a run, with a report of the calls so far', async () => {
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

test('above the capacity of the backends, no more calls than allowed are outstanding, and the backends are named', async () => {
  const slow = await startGreeter({ port: 0, latencyMs: 100 })
  try {
    // Of those that serve, the slow one alone: its latency and the limit give how many calls there can be.
    await hello.putAll({ addr: slow.addr }, ...hundred.unserved)
    // 10 at a time and 100 ms each: no more than 100 a second.
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

test('as many workers as the heap does not carry are limited, and obey Ctrl-C', async () => {
  const mute = await startGreeter({ port: 0, latencyMs: 600_000 })
  try {
    // Of those that serve, one alone that answers no call, so that all workers are under way.
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
    expect(stderr).toContain(`! Limited to ${doc.starts.limit} calls under way`)
  } finally {
    mute.stop()
  }
})
