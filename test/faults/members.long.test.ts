import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Registry } from '../../src/registry/registry.js'
import { Disco } from '../support/disco.js'
import { EtcdCluster } from '../support/etcd-cluster.js'
import { isLeader } from '../support/etcd-membership.js'
import { KeyPoll } from '../support/key-poll.js'
import { RegistrationLog } from '../support/registration-log.js'
import { openRegistry } from '../support/registry.js'
import { UpdateLog } from '../support/update-log.js'

/** A registrar leaves a mute member after half of this: the other half is the time that a busy machine may need. */
const TTL_SECONDS = 12
/** Longer than the TTL: a registrar that stays with a mute member loses its lease. */
const MUTE_MS = 14_000
/** Three faults of this length, and a cluster that starts on a busy machine. */
const TIMEOUT_MS = 120_000

/**
 * Time in which a waking leader, which still believes that it leads, may revoke leases that expired in its view (etcd
 * issue 15247, fixed in 3.4.29 and 3.5.11). It checks leases every half second.
 */
const WAKE_MS = 2_000

describe.concurrent('a registration in a cluster of three', { timeout: TIMEOUT_MS }, () => {
  test('keeps its key while each member in turn loses all requests of its clients, and no watch reports a change', async () => {
    await using stand = await Stand.start()
    const { cluster, held, log } = stand
    for (const [index, proxy] of cluster.proxies.entries()) {
      await using poll = stand.pollWithout(index)
      proxy.blackhole()
      await delay(MUTE_MS)
      await proxy.heal()
      expectNeverAbsent(poll)
    }
    expect(held.reported).toEqual(['registered'])
    expect(log.changes).toEqual([])
    // The registrar has used more than one member.
    expect(cluster.proxies.filter(({ accepted }) => accepted > 0).length).toBeGreaterThan(1)
  })

  test('keeps its key while each member in turn is frozen, and restores it if a waking leader revokes the lease', async () => {
    await using stand = await Stand.start()
    const { cluster, held, log } = stand
    const countOf = (what: string) => held.reported.filter((word) => word === what).length
    let leadersFrozen = 0
    for (const [index, member] of cluster.members.entries()) {
      await using poll = stand.pollWithout(index)
      if (await isLeader(member)) leadersFrozen++
      const lostBefore = countOf('lease lost')
      member.pause()
      await delay(MUTE_MS)
      expectNeverAbsent(poll)
      expect(countOf('lease lost')).toBe(lostBefore)
      member.resume()
      await delay(WAKE_MS)
      await held.untilReported('registered again', countOf('lease lost'))
    }
    expect(countOf('lease lost')).toBeLessThanOrEqual(leadersFrozen)
    expect(countOf('registered again')).toBe(countOf('lease lost'))
    await log.has('the registration', () => log.view.get(held.key) === 1)
  })
})

/** A cluster with a registration and a watch of it. */
class Stand implements AsyncDisposable {
  private constructor(
    readonly cluster: EtcdCluster,
    private readonly registry: Registry,
    readonly held: RegistrationLog,
    readonly log: UpdateLog,
  ) {}

  static async start(): Promise<Stand> {
    const cluster = await EtcdCluster.start()
    const registry = await openRegistry(cluster.endpoints)
    const registration = { service: 'hello', addr: '127.0.0.1:1001', ttlSeconds: TTL_SECONDS }
    const held = await RegistrationLog.hold(registry, registration)
    const log = new UpdateLog(registry, 'hello')
    await log.has('the registration', () => log.view.size === 1)
    return new Stand(cluster, registry, held, log)
  }

  /** Polls the key at the other members. */
  pollWithout(member: number): KeyPoll {
    const others = this.cluster.members.filter((_, index) => index !== member)
    return new KeyPoll(
      others.map(({ endpoint }) => endpoint),
      this.held.key,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.log[Symbol.asyncDispose]()
    expect(this.held.end).toBeNull()
    await this.held.close()
    this.registry.close()
    await this.cluster[Symbol.asyncDispose]()
  }
}

function expectNeverAbsent({ looked, absent }: KeyPoll): void {
  expect(looked).toBeGreaterThan(MUTE_MS / 200)
  expect(absent).toBe(0)
}

describe.concurrent('if the first of three endpoints', () => {
  const FIRST: readonly [what: string, begin: (cluster: EtcdCluster) => unknown][] = [
    ['is mute', ({ proxies }) => proxies[0]?.blackhole()],
    [
      'is frozen',
      async (cluster) => {
        const [first, ...others] = cluster.members
        first?.pause()
        // If it was the leader, the others elect one before the commands start, as they do within a second.
        await cluster.leader(others)
      },
    ],
    ['refuses connections', ({ proxies }) => proxies[0]?.refuse()],
  ]
  test.each(FIRST)(
    '%s, then ls, register and watch use the next one without a message',
    async (_what, begin) => {
      await using cluster = await EtcdCluster.start()
      const disco = new Disco(cluster.endpoints.join(','))
      try {
        await begin(cluster)
        const held = disco.start('register', 'hello', '127.0.0.1:1001', '--ttl', '30')
        await held.printed('"type":"added"')
        const watch = disco.start('watch', 'hello')
        await watch.printed('"type":"synced"')
        const list = await disco.run('ls', 'hello', '--json')
        expect(list).toMatchObject({ code: 0, stderr: '' })
        expect(JSON.parse(list.stdout)).toMatchObject({ endpoints: [{ key: '/hello/127.0.0.1:1001' }] })
        expect(await held.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' })
        await watch.printed('"type":"gone"')
        expect(await watch.end('SIGINT')).toMatchObject({ code: 130, stderr: '' })
        expect(watch.events().map(({ type }) => type)).toEqual(['synced', 'gone'])
      } finally {
        await disco.stopAll()
      }
    },
  )
})
