import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Disco, until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { versionsUnderTest } from '../support/etcd-binary.js'
import { untilGone, untilStored } from '../support/etcd-state.js'
import { FaultProxy } from '../support/fault-proxy.js'

const PRELOAD = fileURLToPath(new URL('../support/clock-steps.mjs', import.meta.url))
const HOUR_MS = 3_600_000
const ADDR = '127.0.0.1:1001'

const STEPS = [
  ['back', -HOUR_MS],
  ['forward', HOUR_MS],
] as const

function discoWithClock(endpoints: string, stepMs: number): Disco {
  return new Disco(endpoints, { NODE_OPTIONS: `--import=${PRELOAD}`, CLOCK_STEP_MS: String(stepMs) })
}

describe.each(versionsUnderTest())('with etcd %s and the clock set by an hour', (version) => {
  test.concurrent.each(STEPS)(
    '%s while ls waits for a mute member, ls ends in time and reports the real duration',
    async (_, stepMs) => {
      await using etcd = await RealEtcd.start({ version })
      await using proxy = await FaultProxy.start(etcd.endpoint)
      proxy.blackhole()
      const disco = discoWithClock(proxy.endpoint, stepMs)
      const list = disco.start('ls', 'hello', '--command-timeout', '4s')
      await until(
        () => proxy.accepted > 0,
        () => 'a connection',
      )
      list.child.kill('SIGUSR2')
      const { code, stderr } = await list.exited()
      expect(code).toBe(3)
      expect(stderr).toMatch(/No answer from etcd at \S+ in [4-9]\.\d+s/)
    },
  )

  test.concurrent.each(STEPS)(
    '%s during an outage, watch and register continue afterwards, and unregister ends',
    async (_, stepMs) => {
      await using etcd = await RealEtcd.start({ version })
      await using proxy = await FaultProxy.start(etcd.endpoint)
      const disco = discoWithClock(proxy.endpoint, stepMs)
      try {
        const held = disco.start('register', 'hello', ADDR, '--ttl', '6')
        await held.printed('"type":"added"')
        const watch = disco.start('watch', 'hello')
        await watch.printed('"type":"synced"')
        proxy.blackhole()
        await Promise.all([held, watch].map((one) => one.printed('"type":"stale"')))
        for (const { child } of [held, watch]) child.kill('SIGUSR2')
        await delay(1_000)
        await proxy.heal()
        await Promise.all([held, watch].map((one) => one.printed('"type":"resync"')))
        // A lease that expired during the outage is replaced.
        await untilStored(etcd, `/hello/${ADDR}`)
        const removal = disco.start('unregister', 'hello', ADDR)
        await untilGone(etcd, `/hello/${ADDR}`)
        // unregister checks for a second whether the key returns. Its answers are withheld during this time.
        proxy.blackhole('toClient')
        removal.child.kill('SIGUSR2')
        await delay(200)
        await proxy.heal()
        expect((await removal.exited()).code).toBe(0)
        expect((await held.exited()).code).toBe(0)
      } finally {
        await disco.stopAll()
      }
    },
  )
})
