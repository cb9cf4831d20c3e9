import { describe, expect, test } from 'vitest'
import { storedText } from '../support/etcd-state.js'
import { toolOnOwnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnOwnEtcd()

const KEY = '/hello/1.0.0/127.0.0.1:1001'
/** A registrar with a TTL in seconds. */
const held = (ttl: number) =>
  disco.start('register', 'hello', '127.0.0.1:1001', '--version', '1.0.0', '--ttl', String(ttl))

/** TTL in seconds, long enough for a keep-alive on a busy machine. */
const SHORT_TTL = 6
/** TTL in seconds, long enough for a second registrar to start on a busy machine. */
const LONG_TTL = 12

describe('register', () => {
  test('keeps the key for longer than its TTL', async () => {
    await held(SHORT_TTL).printed('"type":"added"')
    const first = await etcd.ctl('get', KEY, '-w', 'json')
    await new Promise((resolve) => setTimeout(resolve, (SHORT_TTL + 3) * 1_000))
    expect(createRevision(await etcd.ctl('get', KEY, '-w', 'json'))).toBe(createRevision(first))
  })

  test('waits at a restart for the key of a registrar that was killed by SIGKILL, which expires with its TTL', async () => {
    const killed = held(LONG_TTL)
    await killed.printed('"type":"added"')
    await killed.end('SIGKILL')
    const restarted = held(LONG_TTL)
    await restarted.printed('waiting up to')
    await restarted.printed('"type":"added"')
    expect(await storedText(etcd, KEY)).not.toBe('')
    expect((await restarted.end('SIGTERM')).code).toBe(0)
  })
})

function createRevision(json: string): number | undefined {
  return (JSON.parse(json) as { kvs: { create_revision: number }[] }).kvs[0]?.create_revision
}
