import { describe, expect, test } from 'vitest'
import { startGreeter } from '../../src/dev/greeter.js'
import { ALL_READY, callsOfHello } from '../support/calls-of-hello.js'
import { hundredGreeters } from '../support/greeters.js'

const hello = await callsOfHello()
const hundred = await hundredGreeters()

describe('a run', () => {
  test('with several concurrent calls makes exactly the requested number, and counts them all', async () => {
    await hundred.registerSteady(hello.etcd)
    const before = hundred.calls()
    const doc = await hello.reportOf('--n', '600', '-c', '32')
    expect(doc).toMatchObject({ calls: 600, ok: 600, attempts: 600, verdict: { result: 'pass' } })
    expect(hundred.calls() - before).toBe(600)
  })

  test('excludes its warm-up calls from the report', async () => {
    await hundred.registerSteady(hello.etcd)
    const before = hundred.calls()
    const doc = await hello.reportOf(...ALL_READY, '--n', '300', '--warmup', '130')
    expect(hundred.calls() - before).toBe(430)
    expect(doc).toMatchObject({ calls: 300, attempts: 300, latencyMs: { n: 300 } })
    const heaviest = { picks: 5, expected: 5, attempts: 5, weight: 5 }
    expect(doc.endpoints.slice(0, 20)).toMatchObject(Array.from({ length: 20 }, () => heaviest))
  })

  test('at a rate above the capacity of the server has latencies that include the waiting time of calls', async () => {
    const slow = await startGreeter({ port: 0, latencyMs: 100 })
    try {
      // Only the slow endpoint serves: another one would take calls that have to wait.
      await hello.putAll({ addr: slow.addr }, ...hundred.unserved)
      // A call is due every 20 ms, but each lasts 100 ms and runs alone: the 20th waits for 1.6 s.
      const doc = await hello.reportOf('--rate', '50', '--n', '20', '-c', '1')
      expect(doc.latencyMs.max).toBeGreaterThan(1_500)
    } finally {
      slow.stop()
    }
  })
})
