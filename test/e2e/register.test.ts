import { describe, expect, test } from 'vitest'
import { leaseIds, storedText, untilGone } from '../support/etcd-state.js'
import { toolOnOwnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnOwnEtcd()

const KEY = '/hello/1.0.0/127.0.0.1:1001'
const HELD = ['register', 'hello', '127.0.0.1:1001', '--version', '1.0.0', '--ttl', '2']

async function leaseOf(key: string): Promise<string> {
  const answer = JSON.parse(await etcd.ctl('get', key, '-w', 'json')) as { kvs?: { lease?: number }[] }
  return answer.kvs?.[0]?.lease === undefined ? 'none' : 'some'
}

describe('register', () => {
  test('writes exactly the seed layout under a lease, with and without a version', async () => {
    const versioned = disco.start(...HELD)
    await versioned.printed('"type":"added"')
    expect(await storedText(etcd, KEY)).toBe(
      '{"name":"hello","addr":"127.0.0.1:1001","version":"1.0.0","weight":1}',
    )
    expect(await leaseOf(KEY)).toBe('some')
    const plain = disco.start('register', 'hello', '127.0.0.1:1002', '--weight', '3')
    await plain.printed('"type":"added"')
    expect(await storedText(etcd, '/hello/127.0.0.1:1002')).toBe(
      '{"name":"hello","addr":"127.0.0.1:1002","version":"","weight":3}',
    )
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'on %s deletes the key, revokes the lease and exits 0',
    async (signal) => {
      const held = disco.start(...HELD)
      await held.printed('"type":"added"')
      const { code } = await held.end(signal)
      expect(code).toBe(0)
      expect(await storedText(etcd, KEY)).toBe('')
      expect(await leaseIds(etcd)).toEqual([])
      expect(held.events().at(-1)).toMatchObject({ type: 'gone', reason: 'deregistered' })
    },
  )

  test('refuses a key of another registrar as a conflict that names the lease and the TTL', async () => {
    const held = disco.start(...HELD)
    await held.printed('"type":"added"')
    const [lease] = await leaseIds(etcd)
    const second = await disco.run(...HELD)
    expect(second.code).toBe(6)
    expect(second.stderr).toContain(`lease ${lease}`)
    expect(second.stderr).toContain('ttl 2s')
    expect(second.stderr).toContain('--takeover')
    expect(await leaseIds(etcd)).toEqual([lease])
  })

  test('refuses a key without a lease as a conflict', async () => {
    await etcd.ctl('put', KEY, '{}')
    const { code, stderr } = await disco.run(...HELD)
    expect(code).toBe(6)
    expect(stderr).toContain('without a lease')
    expect(await storedText(etcd, KEY)).toBe('{}')
  })

  test('with --takeover takes the key; the former registrar reports that, changes nothing and exits 6', async () => {
    const first = disco.start(...HELD)
    await first.printed('"type":"added"')
    const second = disco.start(...HELD, '--takeover', '--weight', '7')
    await second.printed('"type":"added"')
    const ended = await first.exited()
    expect(ended.code).toBe(6)
    expect(ended.stderr).toContain('taken over by lease')
    expect(await storedText(etcd, KEY)).toContain('"weight":7')
    expect(await leaseIds(etcd)).toHaveLength(1)
  })

  test('reports a key that is deleted from outside while the lease lives, and ends', async () => {
    const held = disco.start(...HELD)
    await held.printed('"type":"added"')
    await etcd.ctl('del', KEY)
    const { code } = await held.exited()
    expect(code).toBe(0)
    expect(held.events().at(-1)).toMatchObject({ type: 'gone', reason: 'deregistered' })
    expect(await storedText(etcd, KEY)).toBe('')
    expect(await leaseIds(etcd)).toEqual([])
  })

  test('with --on-delete reregister restores a deleted key under the same lease, and reports that', async () => {
    const held = disco.start(...HELD, '--on-delete', 'reregister', '--weight', '3')
    await held.printed('"type":"added"')
    const before = await leaseIds(etcd)
    await etcd.ctl('del', KEY)
    await held.printed('"again":true')
    expect(held.stderr).toContain('the key was deleted from outside; putting it back')
    expect(await storedText(etcd, KEY)).toContain('"weight":3')
    expect(await leaseOf(KEY)).toBe('some')
    expect(await leaseIds(etcd)).toEqual(before)
  })

  test('registers again with the last weight if the lease is revoked from outside', async () => {
    const held = disco.start(...HELD)
    await held.printed('"type":"added"')
    expect((await disco.run('weight', 'hello', '127.0.0.1:1001', '9', '--force')).code).toBe(0)
    await held.printed('"type":"weight"')
    const [lease = ''] = await leaseIds(etcd)
    await etcd.ctl('lease', 'revoke', lease)
    await held.printed('"again":true')
    expect(await storedText(etcd, KEY)).toContain('"weight":9')
    expect(await leaseOf(KEY)).toBe('some')
  })

  test('restores the last valid value instead of an unreadable one', async () => {
    const held = disco.start(...HELD, '--weight', '4')
    await held.printed('"type":"added"')
    const [lease = ''] = await leaseIds(etcd)
    await etcd.ctl('put', KEY, 'garbage', `--lease=${lease}`)
    await etcd.ctl('lease', 'revoke', lease)
    await held.printed('"again":true')
    expect(await storedText(etcd, KEY)).toBe(
      '{"name":"hello","addr":"127.0.0.1:1001","version":"1.0.0","weight":4}',
    )
  })

  test('adopts a value that was written without a lease, and attaches the lease again', async () => {
    const held = disco.start(...HELD)
    await held.printed('"type":"added"')
    await etcd.ctl('put', KEY, '{"name":"hello","addr":"127.0.0.1:1001","version":"1.0.0","weight":6}')
    await held.printed('"reattached":true')
    expect(await leaseOf(KEY)).toBe('some')
    expect(await storedText(etcd, KEY)).toContain('"weight":6')
  })

  test('registers again after SIGCONT if the process was stopped for longer than its TTL', async () => {
    const held = disco.start(...HELD)
    await held.printed('"type":"added"')
    held.child.kill('SIGSTOP')
    await untilGone(etcd, KEY)
    held.child.kill('SIGCONT')
    await held.printed('"again":true')
    expect(await storedText(etcd, KEY)).toContain('"weight":1')
  })

  test('keeps its lease if etcd is killed and restarted within the TTL', async () => {
    const held = disco.start('register', 'hello', '127.0.0.1:1001', '--version', '1.0.0', '--ttl', '10')
    await held.printed('"type":"added"')
    const before = await leaseIds(etcd)
    await etcd.kill()
    await held.printed('"type":"stale"')
    await etcd.restart()
    await held.printed('"type":"resync"')
    expect(await leaseIds(etcd)).toEqual(before)
    expect(held.events().map(({ type }) => type)).toEqual(['added', 'stale', 'resync'])
  })

  test('expands :PORT to an IPv4 address of this machine, and prints it', async () => {
    const held = disco.start('register', 'hello', ':1001')
    await held.printed('"type":"added"')
    expect(held.events()[0]?.addr).toMatch(/^\d+\.\d+\.\d+\.\d+:1001$/)
  })
})
