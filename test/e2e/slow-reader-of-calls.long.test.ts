import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { until } from '../support/disco.js'
import { type HundredGreeters, hundredGreeters, untilCalled } from '../support/greeters.js'
import { isAlive } from '../support/script.js'
import { StoppedReader } from '../support/stopped-reader.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

/** Maximum growth of the resident memory in bytes. A run that did not pause would keep every unread line in memory. */
const MAX_GROWTH = 40 * 1024 * 1024

/** Waits until no call has arrived for a second. */
async function untilQuiet(hundred: HundredGreeters): Promise<void> {
  let calls = Number.NaN
  await until(
    async () => {
      const before = calls
      calls = hundred.calls()
      if (calls !== before) await delay(1_000)
      return calls === before
    },
    () => 'calls to stop',
  )
}

describe('call -o ndjson with a stopped reader', () => {
  const greeters = hundredGreeters()

  test.each([
    ['in a closed loop', '-c 8'],
    ['at a rate', '--rate 2000'],
  ])('starts no further calls until the reader continues, and ends on Ctrl-C: %s', async (_what, load) => {
    const hundred = await greeters
    await hundred.register(etcd)
    const piped = await StoppedReader.start(
      disco,
      `call hello SayHello --n 10000000 ${load} -o ndjson`,
      '"n":1',
    )
    await untilCalled(hundred, 500)
    piped.stopReading()
    await untilQuiet(hundred)
    const residentBytes = piped.residentBytes
    await delay(1_500)
    expect(piped.residentBytes - residentBytes).toBeLessThan(MAX_GROWTH)
    piped.readOn()
    await untilCalled(hundred, 500)
    piped.stopReading()
    await untilQuiet(hundred)
    piped.kill('SIGINT')
    await until(
      () => !isAlive(piped.toolPid),
      () => 'the end of the tool',
    )
    piped.readOn()
    expect((await piped.shell.exited()).code).toBe(130)
    expect(piped.shell.stderr).toMatch(
      /No call was started for .*: the reader of the output was slow|the reader of the output was slow, and calls went on at/,
    )
  })
})
