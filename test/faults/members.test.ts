import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Disco } from '../support/disco.js'
import { EtcdCluster } from '../support/etcd-cluster.js'
import { KeyPoll } from '../support/key-poll.js'
import { RegistrationLog } from '../support/registration-log.js'
import { openRegistry } from '../support/registry.js'
import { UpdateLog } from '../support/update-log.js'

/** Longer than the TTL of 6 s: a registrar that stays with a mute member loses its lease. */
const MUTE_MS = 8_000

interface Fault {
  readonly name: string
  begin(cluster: EtcdCluster, member: number): void
  end(cluster: EtcdCluster, member: number): Promise<void>
}

const FAULTS: readonly Fault[] = [
  {
    name: 'swallows what its clients send',
    begin: ({ proxies }, member) => proxies[member]?.blackhole(),
    end: async ({ proxies }, member) => await proxies[member]?.heal(),
  },
  {
    name: 'is frozen, the leader among them',
    begin: ({ members }, member) => members[member]?.pause(),
    end: async ({ members }, member) => members[member]?.resume(),
  },
]

describe.concurrent('each of three members in turn', () => {
  test.each(FAULTS)(
    '$name: a registration with a TTL of 6 stands, its key is never absent',
    async (fault) => {
      await using cluster = await EtcdCluster.start()
      const registry = await openRegistry(cluster.endpoints)
      const service = { service: 'hello', addr: '127.0.0.1:1001' }
      const held = await RegistrationLog.hold(registry, { ...service, ttlSeconds: 6 })
      const log = new UpdateLog(registry, 'hello')
      try {
        await log.has('the registration', () => log.view.size === 1)
        for (const member of cluster.members.keys()) {
          const others = cluster.members.filter((_, index) => index !== member)
          await using poll = new KeyPoll(
            others.map(({ endpoint }) => endpoint),
            held.key,
          )
          fault.begin(cluster, member)
          await delay(MUTE_MS)
          await fault.end(cluster, member)
          expect(poll.looked).toBeGreaterThan(MUTE_MS / 200)
          expect(poll.absent).toBe(0)
        }
        expect(held.told).not.toContain('lease lost')
        expect(held.end).toBeNull()
        // Whoever watches has seen nothing of it either.
        expect(log.told).toEqual([])
        expect(log.view).toEqual(new Map([[held.key, 1]]))
        // The registrar has been to more members than one.
        const used = cluster.proxies.filter(({ accepted }) => accepted > 0)
        expect(used.length).toBeGreaterThan(1)
      } finally {
        await log[Symbol.asyncDispose]()
        await held.close()
        registry.close()
      }
    },
  )
})

describe.concurrent('the first one named of three members', () => {
  const FIRST: readonly [what: string, begin: (cluster: EtcdCluster) => unknown][] = [
    ['is mute', ({ proxies }) => proxies[0]?.blackhole()],
    ['is frozen', ({ members }) => members[0]?.pause()],
    ['refuses connections', ({ proxies }) => proxies[0]?.refuse()],
  ]
  test.each(FIRST)('%s: ls, register and watch turn to the next, without a word', async (_what, begin) => {
    await using cluster = await EtcdCluster.start()
    const disco = new Disco(cluster.endpoints.join(','))
    try {
      await begin(cluster)
      const held = disco.start('register', 'hello', '127.0.0.1:1001', '--ttl', '5')
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
  })
})
