import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { ComparisonDoc } from '../../src/cli/call/document.js'
import { startGreeter } from '../../src/dev/greeter.js'
import { callsOfHello, ENDLESS, interrupted, SOON } from '../support/calls-of-hello.js'
import { hundredGreeters, untilCalled } from '../support/greeters.js'

const hello = await callsOfHello()
const hundred = await hundredGreeters()

describe('a run', () => {
  test('that is interrupted cancels calls that hang, and reports it', async () => {
    const mute = await startGreeter({ port: 0, latencyMs: 600_000 })
    try {
      await Promise.all([hundred.register(hello.etcd), hello.put(mute.addr, { weight: 50 })])
      const running = hello.startRun('--json', '-c', '3', '--deadline', '10m')
      await untilCalled(mute, 3)
      const doc = await interrupted(running)
      expect(doc).toMatchObject({ interrupted: true, calls: doc.ok + 3, failures: { CANCELLED: 3 } })
    } finally {
      mute.stop()
    }
  })

  test.each([0, 5, 50])('that is interrupted twice, %s ms apart, still reports', async (gapMs) => {
    const mute = await startGreeter({ port: 0, latencyMs: 600_000 })
    try {
      await Promise.all([hundred.register(hello.etcd), hello.put(mute.addr, { weight: 50 })])
      const running = hello.startRun('--json', '-c', '4', '--deadline', '10m', '--policy', 'random')
      await untilCalled(mute, 4)
      running.child.kill('SIGINT')
      await delay(gapMs)
      const doc = await interrupted(running)
      expect(doc).toMatchObject({ interrupted: true, calls: doc.ok + 4, failures: { CANCELLED: 4 } })
    } finally {
      mute.stop()
    }
  })

  test('shows how it goes on a terminal, on one line that it clears', async () => {
    await hundred.register(hello.etcd)
    const running = hello.disco.onTerminal(120, 30, 'call', 'hello', 'SayHello', ...SOON, ...ENDLESS)
    await running.printed(/\d+ calls {2}\d+\/s {2}p50 /, 2)
    const { stdout } = await running.pressCtrlC()
    expect(stdout).toContain('(interrupted)')
    expect(stdout.slice(stdout.indexOf('ENDPOINT'))).not.toContain('/s  p50 ')
  })
})

test('policies side by side, interrupted in the first, are a comparison of the finished runs', async () => {
  await hundred.register(hello.etcd)
  const running = hello.startRun('--json', '--policy', 'rr,wrr')
  await untilCalled(hundred, 200)
  const { stdout, code } = await running.end('SIGINT')
  expect(code).toBe(130)
  const { schema, runs } = JSON.parse(stdout) as ComparisonDoc
  expect(schema).toBe('disco.comparison/v1')
  expect(runs).toMatchObject([{ policy: 'round_robin', interrupted: true }])
})
