import { setTimeout as delay } from 'node:timers/promises'
import { noop } from 'cockatiel'
import { Etcd3, type IKeyValue } from 'etcd3'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { BEYOND_TTL_MS, type Server, TTL_SECONDS, until } from './server.js'

/** Tests of the API that programs use, through the etcd3 package. */
export function testsByEtcd3(server: () => Server): void {
  let client: Etcd3
  let otherClient: Etcd3
  const connect = (): Etcd3 =>
    new Etcd3({
      hosts: server().endpoint,
      faultHandling: { host: () => noop, global: noop },
      grpcOptions: { 'grpc.max_receive_message_length': -1, 'grpc.enable_http_proxy': 0 },
    })
  const currentRevision = async (): Promise<number> =>
    Number((await client.getAll().prefix('no such key').exec()).header.revision)

  beforeAll(() => {
    client = connect()
    otherClient = connect()
  })
  afterAll(() => {
    client.close()
    otherClient.close()
  })
  beforeEach(async () => {
    await client.delete().all()
  })

  it('deletes all keys of a lease that expires, in one revision', async () => {
    const granted = await client.leaseClient.leaseGrant({ TTL: TTL_SECONDS, ID: 0 })
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

  it('keeps a lease while keep-alives are sent', async () => {
    const lease = client.lease(TTL_SECONDS)
    await lease.put('kept').value('1').exec()
    await delay(BEYOND_TTL_MS)
    expect(await client.get('kept').string()).toBe('1')
    await lease.revoke()
    expect(await client.get('kept').string()).toBeNull()
  })

  it('grants a lock to one of many clients, and to the next one when it is released', async () => {
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

  it('loses no update of transactions that compare the revision', async () => {
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

  it('resumes a watch from a revision, with every later event once and in order', async () => {
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

  it('refuses compacted revisions, and sends watchers the revision from which they can watch', async () => {
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

  it('lists 10,000 keys at once, and in pages at one revision', async () => {
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

  it('sends more than 4 MiB in a range response and in a watch response', async () => {
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
      // etcd splits fragments at 2 MiB. Without fragments, the history arrives in one response.
      if (fragment) expect(Math.max(...sizes)).toBeLessThan(2 * 1024 * 1024)
      else expect(Math.max(...sizes)).toBeGreaterThan(4 * 1024 * 1024)
      stream.end()
      stream.cancel()
    }
  })

  it('delivers 200 puts to 200 watchers, each in order', async () => {
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
}
