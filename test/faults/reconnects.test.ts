import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Disco } from '../support/disco.js'
import { versionsUnderTest } from '../support/etcd-binary.js'
import { EtcdCluster } from '../support/etcd-cluster.js'
import { untilStored } from '../support/etcd-state.js'

const REGISTRARS = 5
const DROPPED_MS = 6_000
/** Each registrar has a keep-alive, a watch and requests, and three members to ask. */
const MOST_PER_SECOND = 6

describe.each(versionsUnderTest())('with etcd %s', (version) => {
  test('registrars whose connections are all dropped connect a few times a second each, and are back after it', async () => {
    await using cluster = await EtcdCluster.start(version)
    const disco = new Disco(cluster.endpoints.join(','))
    const accepted = () => cluster.proxies.reduce((sum, proxy) => sum + proxy.accepted, 0)
    try {
      const addresses = Array.from({ length: REGISTRARS }, (_, index) => `127.0.0.1:${1001 + index}`)
      const all = addresses.map((addr) => disco.start('register', 'hello', addr, '--ttl', '5'))
      await Promise.all(all.map((one) => one.printed('"type":"added"')))
      const before = accepted()
      for (const proxy of cluster.proxies) proxy.drop()
      await delay(DROPPED_MS)
      const each = (accepted() - before) / REGISTRARS / (DROPPED_MS / 1_000)
      for (const proxy of cluster.proxies) await proxy.heal()
      expect(each).toBeLessThan(MOST_PER_SECOND)
      // They are not silent either: each goes on trying.
      expect(each).toBeGreaterThan(0.5)
      await Promise.all(all.map((one) => one.printed('"type":"resync"')))
      // A lease that was lost meanwhile is replaced after the link is back.
      for (const addr of addresses) await untilStored(cluster.members[0] as never, `/hello/${addr}`)
    } finally {
      await disco.stopAll()
    }
  })
})
