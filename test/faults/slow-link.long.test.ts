import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { RealEtcd } from '../support/etcd.js'
import { versionsUnderTest } from '../support/etcd-binary.js'
import { EtcdCluster } from '../support/etcd-cluster.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { KeyPoll } from '../support/key-poll.js'
import { RegistrationLog } from '../support/registration-log.js'
import { openRegistry } from '../support/registry.js'

const ADDR = '127.0.0.1:1001'

/** Long enough for several renewals of the longest TTL here. */
const WATCHED_MS = 14_000

const LINKS: readonly [ttlSeconds: number, roundTripMs: number][] = [
  [4, 800],
  [5, 1_500],
  [6, 1_800],
]

describe.each(versionsUnderTest())('over a slow link to etcd %s', (version) => {
  test.concurrent.each(LINKS)(
    'a key with a TTL of %i s and a round trip of %i ms is never missing, and no outage is reported',
    async (ttlSeconds, roundTripMs) => {
      await using etcd = await RealEtcd.start({ version })
      await using proxy = await FaultProxy.start(etcd.endpoint)
      proxy.delay(roundTripMs / 2)
      const registry = await openRegistry([proxy.endpoint])
      const held = await RegistrationLog.hold(registry, { service: 'hello', addr: ADDR, ttlSeconds })
      {
        await using poll = new KeyPoll([etcd.endpoint], held.key)
        await delay(WATCHED_MS)
        expect(poll.looked).toBeGreaterThan(50)
        expect(poll.absent).toBe(0)
      }
      expect(held.reported, held.causes.join(', ')).toEqual(['registered'])
      await held.close()
      registry.close()
    },
  )

  test.concurrent('a key is never missing if all members are slow, and no outage is reported', async () => {
    await using cluster = await EtcdCluster.start(version)
    for (const proxy of cluster.proxies) proxy.delay(750)
    const registry = await openRegistry(cluster.endpoints)
    const held = await RegistrationLog.hold(registry, { service: 'hello', addr: ADDR, ttlSeconds: 5 })
    {
      await using poll = new KeyPoll(
        cluster.members.map(({ endpoint }) => endpoint),
        held.key,
      )
      await delay(WATCHED_MS)
      expect(poll.absent).toBe(0)
    }
    expect(held.reported, held.causes.join(', ')).toEqual(['registered'])
    await held.close()
    registry.close()
  })

  test.concurrent('a key is never missing if its connection dies silently, because it is renewed over a new one', async () => {
    await using etcd = await RealEtcd.start({ version })
    await using proxy = await FaultProxy.start(etcd.endpoint)
    const registry = await openRegistry([proxy.endpoint])
    const held = await RegistrationLog.hold(registry, { service: 'hello', addr: ADDR, ttlSeconds: 12 })
    {
      await using poll = new KeyPoll([etcd.endpoint], held.key)
      proxy.forget()
      // Longer than the TTL.
      await delay(15_000)
      expect(poll.absent).toBe(0)
    }
    expect(held.reported, held.causes.join(', ')).toEqual(['registered'])
    await held.close()
    registry.close()
  })
})
