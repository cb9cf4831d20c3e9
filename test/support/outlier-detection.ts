import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { AcceptedConnections } from './accepted-connections.js'
import { Backend } from './backend.js'
import { Caller } from './caller.js'
import { until } from './disco.js'
import { ScriptedDiscovery } from './scripted-discovery.js'

let backends: Backend[]

/**
 * Runs five times a second, and ejects an endpoint for half a second if more than half of at least two of its calls
 * failed.
 */
const OUTLIER_DETECTION = {
  interval: { seconds: 0, nanos: 200_000_000 },
  base_ejection_time: { seconds: 0, nanos: 500_000_000 },
  max_ejection_percent: 40,
  failure_percentage_ejection: { threshold: 50, minimum_hosts: 1, request_volume: 2 },
}

/** Tests these policies under outlier detection in the calling test file. */
export function testOutlierDetection(policies: readonly string[]): void {
  beforeAll(async () => {
    backends = await Backend.startMany(3)
  })
  beforeEach(() => {
    for (const backend of backends) backend.isFailing = false
  })
  afterAll(() => {
    for (const backend of backends) backend.stop()
  })

  test.each(policies)(
    '%s under outlier_detection ejects a failing endpoint, which returns without a reconnect',
    async (policy) => {
      const discovery = ScriptedDiscovery.installed()
      using connections = new AcceptedConnections()
      const addrs = backends.map(({ addr }) => addr)
      discovery.list(...addrs.map((addr) => ({ addr })))
      const parameters = policy === 'pinned' ? { to: addrs[1], fallback: { random: {} } } : {}
      using caller = new Caller('etcd:///hello', { policy, parameters, outlierDetection: OUTLIER_DETECTION })
      await caller.untilRotation(...addrs)
      const answering = await caller.call()
      const failing = backends.find(({ addr }) => addr === answering)
      if (!failing) throw new Error('one of the backends has answered')
      failing.isFailing = true
      await until(
        async () => {
          for (let call = 0; call < 10; call++) await caller.call().catch(() => undefined)
          return !caller.inRotation.includes(failing.addr)
        },
        () => 'the failing one to be ejected',
      )
      failing.isFailing = false
      await caller.untilRotation(...addrs)
      for (const backend of backends) expect(connections.at(backend)).toBe(1)
    },
  )
}
