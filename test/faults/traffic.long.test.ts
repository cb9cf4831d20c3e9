import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Registry } from '../../src/registry/registry.js'
import { until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { enableAuth } from '../support/etcd-auth.js'
import { EtcdCluster } from '../support/etcd-cluster.js'
import { leaseIds, revision } from '../support/etcd-state.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { openRegistry } from '../support/registry.js'
import { Backends, Traffic } from '../support/traffic.js'

/** Backends, and a client that calls them, with separate registries over the same endpoints. */
class Site implements AsyncDisposable {
  private constructor(
    private readonly registries: readonly Registry[],
    readonly backends: Backends,
    readonly traffic: Traffic,
  ) {}

  static async start(
    endpoints: readonly string[],
    ttlSeconds: number,
    { login = {}, serversBy }: { login?: { user?: string; password?: string }; serversBy?: FaultProxy } = {},
  ): Promise<Site> {
    const servers = await openRegistry(serversBy ? [serversBy.endpoint] : endpoints, login)
    const clients = await openRegistry(endpoints, login)
    const backends = await Backends.start(servers, 'hello', ttlSeconds)
    const traffic = new Traffic(clients, 'hello')
    await traffic.flows(100)
    return new Site([servers, clients], backends, traffic)
  }

  /** Checks that every call succeeded, during the fault and after it, and that each backend still receives calls. */
  async expectNoneFailed(): Promise<void> {
    const { traffic, backends } = this
    const before = backends.greeters.map((greeter) => greeter.calls())
    await traffic.flows(200)
    // A backend that has just registered again may not be known to the client yet.
    await until(
      () => backends.greeters.every((greeter, index) => greeter.calls() > (before[index] ?? 0)),
      () => 'a call at each backend',
    )
    await traffic.stop()
    expect(traffic.failures).toEqual([])
  }

  async noticesOutage(): Promise<void> {
    await until(
      () => this.traffic.lists.some(({ stale }) => stale !== null),
      () => 'the resolver to notice the outage',
    )
  }

  /** Waits until the resolver has noticed that etcd is unavailable, and that it is available again. */
  async noticesOutageAndEnd(): Promise<void> {
    await this.noticesOutage()
    await until(
      () => this.traffic.lists.at(-1)?.stale === null,
      () => 'the resolver to notice the end of the outage',
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.traffic[Symbol.asyncDispose]()
    await this.backends[Symbol.asyncDispose]()
    for (const registry of this.registries) registry.close()
  }
}

/** The longest outages take half a minute, and five tests share the machine. */
const TIMEOUT_MS = 120_000

describe.concurrent('200 calls a second do not fail while', { timeout: TIMEOUT_MS }, () => {
  test('etcd is killed, and started again 4 s later', async () => {
    await using etcd = await RealEtcd.start()
    await using site = await Site.start([etcd.endpoint], 10)
    await etcd.kill()
    await delay(4_000)
    await etcd.restart()
    await site.noticesOutageAndEnd()
    await site.expectNoneFailed()
  })

  test('etcd is unavailable for longer than the TTL of the backends', async () => {
    await using etcd = await RealEtcd.start()
    await using site = await Site.start([etcd.endpoint], 8)
    await etcd.kill()
    await delay(11_000)
    await etcd.restart()
    await site.noticesOutageAndEnd()
    await delay(3_000)
    await site.expectNoneFailed()
  })

  test('the connections to etcd are cut repeatedly', async () => {
    await using etcd = await RealEtcd.start()
    await using proxy = await FaultProxy.start(etcd.endpoint)
    await using site = await Site.start([proxy.endpoint], 30)
    // On a busy machine not every cut meets a new connection.
    for (let cuts = 0; cuts < 20 || proxy.accepted <= 10; cuts++) {
      proxy.cut()
      await delay(200)
    }
    await site.expectNoneFailed()
  })

  test('the network loses all packets to etcd for 9 s', async () => {
    await using etcd = await RealEtcd.start()
    await using proxy = await FaultProxy.start(etcd.endpoint)
    await using site = await Site.start([proxy.endpoint], 30)
    proxy.blackhole()
    await Promise.all([delay(9_000), site.noticesOutage()])
    await proxy.heal()
    await site.noticesOutageAndEnd()
    await site.expectNoneFailed()
  })

  test('one of three members loses all packets, and then another', async () => {
    await using cluster = await EtcdCluster.start()
    await using site = await Site.start(cluster.endpoints, 12)
    for (const proxy of cluster.proxies.slice(0, 2)) {
      proxy.blackhole()
      await delay(14_000)
      await proxy.heal()
    }
    await site.expectNoneFailed()
  })

  test('one of three members is killed permanently', async () => {
    await using cluster = await EtcdCluster.start()
    await using site = await Site.start(cluster.endpoints, 10)
    await cluster.members[0]?.kill()
    await delay(10_000)
    await site.expectNoneFailed()
  })

  test('all changes during an outage are compacted', async () => {
    await using etcd = await RealEtcd.start()
    await using proxy = await FaultProxy.start(etcd.endpoint)
    await using site = await Site.start([proxy.endpoint], 30)
    await proxy.refuse()
    for (let weight = 1; weight <= 20; weight++) await etcd.ctl('put', '/other/key', String(weight))
    await etcd.ctl('compact', String(await revision(etcd)))
    await site.noticesOutage()
    await proxy.accept()
    await site.noticesOutageAndEnd()
    await until(
      () => (site.traffic.lists.at(-1)?.revision ?? 0) > 20,
      () => 'the list behind the compaction',
    )
    await site.expectNoneFailed()
  })

  test('etcd is restored from a snapshot', async () => {
    await using etcd = await RealEtcd.start()
    await using site = await Site.start([etcd.endpoint], 10)
    const saved = await etcd.save()
    for (let weight = 1; weight <= 20; weight++) await etcd.ctl('put', '/other/key', String(weight))
    await etcd.restore(saved)
    await etcd.restart()
    await site.expectNoneFailed()
  })

  test('the lease of each backend in turn is revoked from outside', async () => {
    await using etcd = await RealEtcd.start()
    await using site = await Site.start([etcd.endpoint], 30)
    for (const lease of await leaseIds(etcd)) {
      await etcd.ctl('lease', 'revoke', lease)
      await until(
        async () => (await leaseIds(etcd)).length === 5,
        () => 'the backend to register again',
      )
    }
    await site.expectNoneFailed()
  })

  test('tokens expire, and the connections to etcd are cut', async () => {
    await using etcd = await RealEtcd.start({ args: ['--auth-token-ttl', '1'] })
    await enableAuth(etcd, [{ name: 'alice', password: 'secret', prefix: '/hello/' }])
    await using proxy = await FaultProxy.start(etcd.endpoint)
    await using site = await Site.start([proxy.endpoint], 10, {
      login: { user: 'alice', password: 'secret' },
    })
    for (let round = 0; round < 2; round++) {
      await delay(3_000)
      proxy.cut()
    }
    await site.expectNoneFailed()
  })
})

test('calls continue while a wiped etcd is unavailable, fail only while it confirms an empty list, and then succeed again', async () => {
  await using etcd = await RealEtcd.start()
  await using slowLink = await FaultProxy.start(etcd.endpoint)
  await using site = await Site.start([etcd.endpoint], 10, { serversBy: slowLink })
  const { traffic } = site
  await etcd.throwAway()
  await site.noticesOutage()
  expect(traffic.failures).toEqual([])
  await slowLink.refuse()
  await etcd.restart()
  await until(
    () => traffic.lists.at(-1)?.registered.length === 0,
    () => 'the empty list',
  )
  await slowLink.accept()
  await until(
    () => traffic.lists.at(-1)?.registered.length === 5,
    () => 'the backends to be back',
  )
  await traffic.flows(100)
  const failed = traffic.failures
  for (const what of failed)
    expect(what).toContain('UNAVAILABLE: No endpoint to dial. hello has 0 registered')
  await traffic.flows(200)
  expect(traffic.failures).toEqual(failed)
})
