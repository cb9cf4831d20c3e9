import { describe, expect, test } from 'vitest'
import { storedText } from '../support/etcd-state.js'
import { toolOnOwnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnOwnEtcd()

const KEY = '/hello/1.0.0/127.0.0.1:1001'
const HELD = ['register', 'hello', '127.0.0.1:1001', '--version', '1.0.0', '--ttl', '2']
/** TTL in seconds, long enough for a second registrar to start on a busy machine. */
const LONG_HELD = [...HELD.slice(0, -1), '6']

describe('register', () => {
  test('keeps the key for longer than its TTL', async () => {
    const held = disco.start(...HELD)
    await held.printed('"type":"added"')
    const first = await etcd.ctl('get', KEY, '-w', 'json')
    await new Promise((resolve) => setTimeout(resolve, 5_000))
    expect(createRevision(await etcd.ctl('get', KEY, '-w', 'json'))).toBe(createRevision(first))
  })

  test('waits at a restart for the key of a registrar that was killed by SIGKILL, which expires with its TTL', async () => {
    const killed = disco.start(...LONG_HELD)
    await killed.printed('"type":"added"')
    await killed.end('SIGKILL')
    const restarted = disco.start(...LONG_HELD)
    await restarted.printed('waiting up to')
    await restarted.printed('"type":"added"')
    expect(await storedText(etcd, KEY)).not.toBe('')
    expect((await restarted.end('SIGTERM')).code).toBe(0)
  })
})

function createRevision(json: string): number | undefined {
  return (JSON.parse(json) as { kvs: { create_revision: number }[] }).kvs[0]?.create_revision
}
