import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { startGreeter } from '../../src/dev/greeter.js'
import { callsOfHello, interrupted } from '../support/calls-of-hello.js'
import { hundredGreeters, untilCalled } from '../support/greeters.js'

const hello = await callsOfHello()
const hundred = await hundredGreeters()

describe('a run', () => {
  test.each([0, 5, 50])('that is interrupted twice, %s ms apart, still prints its report', async (gapMs) => {
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
})
