import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { noop } from 'cockatiel'
import { Etcd3, type IKeyValue } from 'etcd3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DevRegistryProcess } from '../support/dev-registry-process.js'
import { RealEtcd } from '../support/etcd.js'
import { etcdctl, startEtcdctl } from '../support/etcdctl.js'

/**
 * What clients of etcd rely on, through the clients themselves: the same tests against etcd, which says
 * whether the tests are right, and against the dev registry.
 */
interface Server extends AsyncDisposable {
  readonly endpoint: string
}

const servers: ReadonlyArray<readonly [string, () => Promise<Server>]> = [
  ['etcd', () => RealEtcd.start()],
  ['the dev registry', () => DevRegistryProcess.start()],
]

/** A lease of two seconds that nobody keeps alive is gone by then: etcd looks twice a second. */
const BEYOND_TWO_SECONDS_MS = 3500

/** Waits for what an expiring lease or a watcher does in its own time. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(20)
}

describe.each(servers)('%s', (_name, start) => {
  let server: Server
  let client: Etcd3
  let otherClient: Etcd3
  const connect = (): Etcd3 =>
    new Etcd3({
      hosts: server.endpoint,
      faultHandling: { host: () => noop, global: noop },
      grpcOptions: { 'grpc.max_receive_message_length': -1, 'grpc.enable_http_proxy': 0 },
    })
  const ctl = (...args: string[]) => etcdctl(server.endpoint, args)
  const ctlJson = async (...args: string[]) => JSON.parse((await ctl(...args, '-w', 'json')).stdout)
  const currentRevision = async (): Promise<number> =>
    Number((await client.getAll().prefix('no such key').exec()).header.revision)

  beforeAll(async () => {
    server = await start()
    client = connect()
    otherClient = connect()
  })
  afterAll(async () => {
    client.close()
    otherClient.close()
    await server[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    await client.delete().all()
  })

  describe('by the etcd3 package', () => {
    it('deletes all keys of a lease that expires, in one revision', async () => {
      const granted = await client.leaseClient.leaseGrant({ TTL: 2, ID: 0 })
      const watcher = await client.watch().prefix('leased/').create()
      const deleted: IKeyValue[] = []
      watcher.on('delete', (kv) => deleted.push(kv))
      await client.put('leased/b').value('1').lease(granted.ID).exec()
      await client.put('leased/a').value('1').lease(granted.ID).exec()
      await until(() => deleted.length === 2)
      expect(deleted.map(({ key }) => key.toString())).toEqual(['leased/a', 'leased/b'])
      expect(new Set(deleted.map((kv) => kv.mod_revision)).size).toBe(1)
      expect((await client.leaseClient.leaseTimeToLive({ ID: granted.ID })).TTL).toBe('-1')
      await watcher.cancel()
    })

    it('keeps a lease for as long as it is kept alive', async () => {
      const lease = client.lease(2)
      await lease.put('kept').value('1').exec()
      await delay(BEYOND_TWO_SECONDS_MS)
      expect(await client.get('kept').string()).toBe('1')
      await lease.revoke()
      expect(await client.get('kept').string()).toBeNull()
    })

    it('gives a lock to one of many, and to the next when it is released', async () => {
      let inside = 0
      let most = 0
      const critical = async (etcd: Etcd3): Promise<void> => {
        const lock = etcd.lock('the lock').ttl(10)
        for (;;) {
          const held = await lock.acquire().then(
            () => true,
            () => false,
          )
          if (held) break
          await delay(5)
        }
        inside += 1
        most = Math.max(most, inside)
        await delay(5)
        inside -= 1
        await lock.release()
      }
      await Promise.all(Array.from({ length: 10 }, (_, index) => critical(index % 2 ? client : otherClient)))
      expect(most).toBe(1)
    })

    it('loses no update to transactions that compare the revision', async () => {
      await client.put('counter').value('0')
      const increment = async (): Promise<void> => {
        for (;;) {
          const { kvs } = await client
            .get('counter')
            .exec()
            .then((kv) => ({ kvs: kv.kvs }))
          const [kv] = kvs
          if (kv === undefined) throw new Error('the counter is gone')
          const result = await client
            .if('counter', 'Mod', '==', kv.mod_revision)
            .then(client.put('counter').value(Number(kv.value.toString()) + 1))
            .commit()
          if (result.succeeded) return
        }
      }
      await Promise.all(Array.from({ length: 50 }, increment))
      expect(await client.get('counter').number()).toBe(50)
    })

    it('resumes a watch from a revision with every event since, once and in order', async () => {
      const revision = await currentRevision()
      for (let index = 0; index < 25; index++) await client.put('resumed').value(index)
      const seen: string[] = []
      const watcher = await client
        .watch()
        .key('resumed')
        .startRevision(String(revision + 6))
        .create()
      watcher.on('put', (kv) => seen.push(kv.value.toString()))
      await client.put('resumed').value('last')
      await until(() => seen.includes('last'))
      expect(seen).toEqual([...Array.from({ length: 20 }, (_, index) => String(index + 5)), 'last'])
      await watcher.cancel()
    })

    it('refuses revisions that are compacted, and tells watchers of them where to begin', async () => {
      for (let index = 0; index < 5; index++) await client.put('compacted').value(index)
      const revision = await currentRevision()
      await client.kv.compact({ revision: String(revision), physical: true })
      const old = client.get('compacted').revision(revision - 2)
      await expect(old.exec()).rejects.toThrow('required revision has been compacted')
      expect(await client.get('compacted').revision(revision).string()).toBe('4')

      const stream = await client.watchClient.watch()
      const responses: Array<{ canceled: boolean; compact_revision: string }> = []
      stream.on('data', (response) => responses.push(response))
      stream.write({
        create_request: { key: Buffer.from('compacted'), start_revision: String(revision - 2) },
      })
      await until(() => responses.some(({ canceled }) => canceled))
      expect(responses.at(-1)?.compact_revision).toBe(String(revision))
      stream.end()
      stream.cancel()
    })

    it('ranges over 10,000 keys, whole and in pages at one revision', async () => {
      const keyOf = (index: number) => `many/${String(index).padStart(5, '0')}`
      for (let at = 0; at < 10_000; at += 100) {
        const operations = Array.from({ length: 100 }, (_, index) =>
          client.put(keyOf(at + index)).value(at + index),
        )
        await client
          .if('none', 'Version', '==', 0)
          .then(...operations)
          .commit()
      }
      const whole = await client.getAll().prefix('many/').keys()
      expect(whole).toEqual(Array.from({ length: 10_000 }, (_, index) => keyOf(index)))
      expect(await client.getAll().prefix('many/').count()).toBe(10_000)

      const revision = await currentRevision()
      await client.delete().key(keyOf(9_999))
      const paged: string[] = []
      let from = Buffer.from('many/')
      for (let more = true; more; ) {
        const page = await client.kv.range({
          key: from,
          range_end: Buffer.from('many0'),
          limit: 777,
          revision: String(revision),
        })
        paged.push(...page.kvs.map(({ key }) => key.toString()))
        from = Buffer.concat([page.kvs.at(-1)?.key ?? from, Buffer.from([0])])
        more = page.more
      }
      expect(paged).toEqual(whole)
    })

    it('answers with more than 4 MiB, to a range and to a watch', async () => {
      const revision = await currentRevision()
      const value = Buffer.alloc(64 * 1024, 'x')
      for (let index = 0; index < 100; index++) await client.put(`large/${100 + index}`).value(value)
      const { kvs } = await client.getAll().prefix('large/').exec()
      expect(kvs.reduce((bytes, kv) => bytes + kv.value.length, 0)).toBe(100 * 64 * 1024)

      for (const fragment of [false, true]) {
        const stream = await client.watchClient.watch()
        const keys: string[] = []
        const sizes: number[] = []
        stream.on('data', ({ events }) => {
          for (const { kv } of events) keys.push(kv.key.toString())
          sizes.push(events.length * value.length)
        })
        const range = { key: Buffer.from('large/'), range_end: Buffer.from('large0') }
        stream.write({ create_request: { ...range, start_revision: String(revision + 1), fragment } })
        await until(() => keys.length >= 100)
        expect(keys).toEqual(Array.from({ length: 100 }, (_, index) => `large/${100 + index}`))
        // Fragments are cut at etcd's limit of 2 MiB; without them, the past comes in one piece.
        if (fragment) expect(Math.max(...sizes)).toBeLessThan(2 * 1024 * 1024)
        else expect(Math.max(...sizes)).toBeGreaterThan(4 * 1024 * 1024)
        stream.end()
        stream.cancel()
      }
    })

    it('brings 200 puts to 200 watchers, each in order', async () => {
      const stream = await client.watchClient.watch()
      const seen = new Map<string, string[]>()
      let created = 0
      stream.on('data', (response) => {
        if (response.created) created += 1
        const values = seen.get(response.watch_id) ?? []
        seen.set(response.watch_id, values)
        for (const { kv } of response.events) values.push(kv.value.toString())
      })
      for (let index = 0; index < 200; index++) {
        stream.write({ create_request: { key: Buffer.from('fan/'), range_end: Buffer.from('fan0') } })
      }
      await until(() => created === 200)
      const values = Array.from({ length: 200 }, (_, index) => String(index))
      for (const value of values) await client.put(`fan/${Number(value) % 7}`).value(value)
      await until(() => [...seen.values()].every((each) => each.length === 200))
      expect(seen.size).toBe(200)
      for (const each of seen.values()) expect(each).toEqual(values)
      stream.end()
      stream.cancel()
    })
  })

  describe('by etcdctl 3.4', () => {
    it('puts, gets and deletes', async () => {
      expect((await ctl('put', 'ctl/a', '1')).stdout).toBe('OK\n')
      expect((await ctl('put', '--prev-kv', 'ctl/a', '2')).stdout).toBe('OK\nctl/a\n1\n')
      await ctl('put', 'ctl/b', '3')
      expect((await ctl('get', '--prefix', 'ctl/', '--order', 'DESCEND')).stdout).toBe('ctl/b\n3\nctl/a\n2\n')
      expect((await ctl('get', 'ctl/a', '--from-key', '--keys-only', '--limit', '1')).stdout).toBe(
        'ctl/a\n\n',
      )
      expect((await ctl('del', '--prefix', 'ctl/', '--prev-kv')).stdout).toBe('2\nctl/a\n2\nctl/b\n3\n')
    })

    it('commits a transaction, and takes the other branch', async () => {
      await ctl('put', 'ctl/txn', 'old')
      const script = 'value("ctl/txn") = "old"\n\nput ctl/txn new\n\nget ctl/txn\n\n'
      expect((await etcdctl(server.endpoint, ['txn'], script)).stdout).toBe('SUCCESS\n\nOK\n')
      expect((await etcdctl(server.endpoint, ['txn'], script)).stdout).toBe('FAILURE\n\nctl/txn\nnew\n')
    })

    it('grants, lists, keeps alive and revokes a lease', async () => {
      const [, id = ''] =
        /lease (\w+) granted with TTL\(60s\)/.exec((await ctl('lease', 'grant', '60')).stdout) ?? []
      await ctl('put', '--lease', id, 'ctl/leased', '1')
      expect((await ctl('lease', 'list')).stdout).toContain(id)
      expect((await ctl('lease', 'keep-alive', '--once', id)).stdout).toBe(
        `lease ${id} keepalived with TTL(60)\n`,
      )
      const left = await ctl('lease', 'timetolive', '--keys', id)
      expect(left.stdout).toMatch(
        /granted with TTL\(60s\), remaining\(\d+s\), attached keys\(\[ctl\/leased\]\)/,
      )
      expect((await ctl('lease', 'revoke', id)).stdout).toBe(`lease ${id} revoked\n`)
      expect((await ctl('get', 'ctl/leased')).stdout).toBe('')
      const again = await ctl('lease', 'revoke', id)
      expect(again.code).not.toBe(0)
      expect(again.stderr).toContain('etcdserver: requested lease not found')
    })

    it('keeps a lease alive on a stream until it is told to stop', async () => {
      const [, id = ''] = /lease (\w+) granted/.exec((await ctl('lease', 'grant', '2')).stdout) ?? []
      await ctl('put', '--lease', id, 'ctl/kept', '1')
      const keeper = startEtcdctl(server.endpoint, ['lease', 'keep-alive', id])
      await delay(BEYOND_TWO_SECONDS_MS)
      expect((await ctl('get', 'ctl/kept', '--print-value-only')).stdout).toBe('1\n')
      keeper.kill('SIGKILL')
      await once(keeper, 'exit')
      await until(async () => (await ctl('get', 'ctl/kept')).stdout === '')
    })

    it('watches from a revision on, with previous pairs', async () => {
      await ctl('put', 'ctl/watched', 'before')
      const { header } = await ctlJson('put', 'ctl/watched', '1')
      const args = ['watch', 'ctl/watched', '--prev-kv', '--rev', String(header.revision)]
      const watcher = startEtcdctl(server.endpoint, args)
      let output = ''
      watcher.stdout?.on('data', (chunk) => {
        output += chunk
      })
      await until(() => output.includes('ctl/watched\n1\n'))
      await ctl('del', 'ctl/watched')
      await until(() => output.includes('DELETE'))
      expect(output).toBe('PUT\nctl/watched\nbefore\nctl/watched\n1\nDELETE\nctl/watched\n1\nctl/watched\n\n')
      watcher.kill('SIGKILL')
      await once(watcher, 'exit')
    })

    it('compacts', async () => {
      await ctl('put', 'ctl/compacted', '1')
      const { header } = await ctlJson('put', 'ctl/compacted', '2')
      const { revision } = header
      expect((await ctl('compaction', '--physical', String(revision))).stdout).toBe(
        `compacted revision ${revision}\n`,
      )
      const old = await ctl('get', 'ctl/compacted', '--rev', String(revision - 1))
      expect(old.stderr).toContain('etcdserver: mvcc: required revision has been compacted')
      const twice = await ctl('compaction', String(revision))
      expect(twice.stderr).toContain('etcdserver: mvcc: required revision has been compacted')
    })

    it('locks around a command', async () => {
      expect((await ctl('lock', 'ctl/lock', 'echo', 'inside')).stdout).toBe('inside\n')
    })

    it('shows health, status and members', async () => {
      expect((await ctl('endpoint', 'health')).stderr + (await ctl('endpoint', 'health')).stdout).toContain(
        'is healthy',
      )
      const [status] = await ctlJson('endpoint', 'status')
      expect(status.Status.version).toBe('3.4.23')
      expect(status.Status.leader).toBe(status.Status.header.member_id)
      const { members } = await ctlJson('member', 'list')
      expect(members).toHaveLength(1)
      expect(members[0].clientURLs).toEqual([`http://${server.endpoint}`])
    })
  })
})
