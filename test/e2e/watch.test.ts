import { describe, expect, test } from 'vitest'
import { type Process, until } from '../support/disco.js'
import { EtcdApi } from '../support/etcd-api.js'
import { grantLease, registration, revision } from '../support/etcd-state.js'
import { expectShape } from '../support/shape.js'
import { toolOnOwnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnOwnEtcd()

type Event = Record<string, unknown>

async function put(addr: string, weight: number, ...flags: string[]): Promise<void> {
  await etcd.ctl('put', ...registration('hello', addr, { weight }), ...flags)
}

async function watching(...args: string[]): Promise<Process> {
  const watch = disco.start('watch', 'hello', ...args)
  await watch.printed('"type":"synced"')
  return watch
}

/** Waits for `count` events, ends the watch, and returns its events. */
async function eventsOf(watch: Process, count: number): Promise<Event[]> {
  await watch.printed('"type":', count)
  const { code } = await watch.end('SIGINT')
  expect(code).toBe(130)
  return watch.events()
}

/** Wraps each event in an object under its type, so that each type has a shape of its own. */
function byType(events: readonly Event[]): Event[] {
  return events.map((event) => ({ [String(event.type)]: event }))
}

const A = '127.0.0.1:1001'
const B = '127.0.0.1:1002'

describe('watch', () => {
  test('prints synced first, then added, weight, updated and gone in order, as NDJSON when piped', async () => {
    await put(A, 1)
    const startedAt = await revision(etcd)
    const watch = await watching()
    await put(B, 3)
    await put(B, 1)
    const lease = await grantLease(etcd, 100)
    await put(B, 1, `--lease=${lease}`)
    await etcd.ctl('del', `/hello/${A}`)
    const events = await eventsOf(watch, 5)
    const of = (addr: string) => ({ service: 'hello', addr, key: `/hello/${addr}`, version: '' })
    expect(events).toMatchObject([
      { type: 'synced', rev: String(startedAt), endpoints: 1, weight: 1, weightsUnset: false },
      { type: 'added', rev: String(startedAt + 1), ...of(B), weight: 3, share: 0.75, problem: null },
      {
        type: 'weight',
        rev: String(startedAt + 2),
        ...of(B),
        from: 3,
        to: 1,
        share: { from: 0.75, to: 0.5 },
      },
      { type: 'updated', rev: String(startedAt + 3), ...of(B), weight: 1, lease },
      { type: 'gone', rev: String(startedAt + 4), ...of(A), reason: 'deregistered', lease: null },
    ])
    for (const event of events) expect(event.schema).toBe('disco.event/v1')
  })

  test('of a service that does not exist yet prints an empty synced event, and then its first endpoint', async () => {
    const watch = await watching()
    await etcd.ctl('put', ...registration('hello2', A))
    await put(A, 1)
    expect(await eventsOf(watch, 2)).toMatchObject([
      { type: 'synced', endpoints: 0, weight: 0 },
      { type: 'added', service: 'hello', addr: A, share: 1 },
    ])
  })

  test('without a service prints the events of all services', async () => {
    const watch = disco.start('watch')
    await watch.printed('"type":"synced"')
    await put(A, 1)
    await etcd.ctl('put', ...registration('payments', B))
    const events = await eventsOf(watch, 3)
    expect(events.slice(1)).toMatchObject([{ service: 'hello' }, { service: 'payments', share: 1 }])
  })

  test('shows an unreadable value with its problem, without control characters', async () => {
    await put(A, 1)
    const watch = await watching()
    await etcd.ctl('put', `/hello/${A}`, '\u001b[31m')
    await etcd.ctl('put', '/hello/\u001b[31m', 'x')
    const events = await eventsOf(watch, 3)
    expect(watch.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    expect(events.slice(1)).toMatchObject([
      { type: 'updated', addr: A, problem: 'value is not JSON', weight: 0 },
      { type: 'added', addr: '\u001b[31m', problem: 'value is not JSON', share: 0 },
    ])
  })

  test('distinguishes a deregistration from the end of a lease', async () => {
    const watch = await watching()
    const held = await Promise.all(
      [A, B].map(async (addr) => {
        const registrar = disco.start('register', 'hello', addr, '--ttl', '2')
        await registrar.printed('"type":"added"')
        return registrar
      }),
    )
    await watch.printed('"type":"added"', 2)
    await held[0]?.end('SIGTERM')
    await watch.printed('"type":"gone"')
    await held[1]?.end('SIGKILL')
    const events = await eventsOf(watch, 5)
    expect(events.slice(3)).toMatchObject([
      { type: 'gone', addr: A, reason: 'deregistered' },
      { type: 'gone', addr: B, reason: 'lease ended' },
    ])
    expect(events[4]?.lease).toMatch(/^[0-9a-f]+$/)
  })

  test('misses no change between its list and its watch', async () => {
    const api = new EtcdApi(etcd.endpoint)
    const base64 = (text: string) => Buffer.from(text).toString('base64')
    const write = async (addr: string, weight: number): Promise<void> => {
      const [key, value] = registration('hello', addr, { weight })
      await api.get('KV/Put', { key: base64(key), value: base64(value) })
    }
    try {
      const watch = disco.start('watch', 'hello')
      for (let written = 0; watch.stdout === '' || written < 300; written++) {
        const addr = `127.0.0.1:${2000 + (written % 97)}`
        if (written % 5 === 4) await api.get('KV/DeleteRange', { key: base64(`/hello/${addr}`) })
        else await write(addr, written)
      }
      await write('127.0.0.1:9999', 1)
      await watch.printed('127.0.0.1:9999')
      await watch.end('SIGINT')
      const [synced, ...events] = watch.events()
      expect(synced?.type).toBe('synced')
      const revisions = events.map(({ rev }) => Number(rev))
      expect(revisions).toEqual(revisions.toSorted((a, b) => a - b))
      expect(revisions[0]).toBeGreaterThan(Number(synced?.rev))
      const atSync = await weightsAt(Number(synced?.rev))
      expect(atSync.size).toBe(synced?.endpoints)
      expect(replayed(atSync, events)).toEqual(await weightsAt(0))
    } finally {
      api.close()
    }
  })
})

/** Keys and weights of the service at a revision as read by etcdctl; revision 0 means now. */
async function weightsAt(rev: number): Promise<Map<string, unknown>> {
  const text = await etcd.ctl('get', '/hello/', '--prefix', `--rev=${rev}`)
  const lines = text.trimEnd().split('\n')
  const weights = new Map<string, unknown>()
  for (let at = 0; at + 1 < lines.length; at += 2) {
    weights.set(lines[at] ?? '', (JSON.parse(lines[at + 1] ?? '') as Event).weight)
  }
  return weights
}

function replayed(start: ReadonlyMap<string, unknown>, events: readonly Event[]): Map<string, unknown> {
  const weights = new Map(start)
  for (const { type, key, weight, from, to } of events) {
    const name = String(key)
    if (type === 'gone') weights.delete(name)
    else if (type === 'weight') {
      expect(weights.get(name)).toBe(from)
      weights.set(name, to)
    } else weights.set(name, weight)
  }
  return weights
}

describe('watch ends', () => {
  test('with 0 after --count changes, not counting synced and stale', async () => {
    await put(A, 1)
    const watch = await watching('--count', '2')
    await etcd.kill()
    // Waits for stale: if the next attempt finds etcd restarted, no outage is reported.
    await watch.printed('"type":"stale"')
    await etcd.restart()
    await watch.printed('"type":"resync"')
    await put(A, 2)
    await watch.printed('"type":"weight"')
    await put(B, 1)
    const { code, stderr } = await watch.exited()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(watch.events().filter(({ type }) => !['stale', 'resync'].includes(String(type)))).toMatchObject([
      { type: 'synced' },
      { type: 'weight', to: 2 },
      { type: 'added', addr: B },
    ])
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('with 130 on %s', async (signal) => {
    const watch = await watching()
    expect(await watch.end(signal)).toMatchObject({ code: 130, stderr: '' })
  })
})

describe('watch during faults of etcd', () => {
  test('prints stale and then resync after a restart, and later changes; every event has the fields of its golden file', async () => {
    const lease = await grantLease(etcd, 500)
    await put(A, 1, `--lease=${lease}`)
    const watch = await watching()
    await etcd.kill()
    await watch.printed('"type":"stale"')
    await etcd.restart()
    await watch.printed('"type":"resync"')
    await put(B, 1)
    await put(B, 2)
    await etcd.ctl('put', `/hello/${A}`, 'x')
    await etcd.ctl('del', `/hello/${B}`)
    const events = await eventsOf(watch, 7)
    expect(events.map(({ type }) => type)).toEqual([
      'synced',
      'stale',
      'resync',
      'added',
      'weight',
      'updated',
      'gone',
    ])
    expect(events[1]?.cause).toMatch(/connect|etcd/)
    expectShape('event', ...byType(events))
  })

  test('reports changes during an outage once etcd is back', async () => {
    await put(A, 1)
    const watch = await watching()
    watch.child.kill('SIGSTOP')
    await put(B, 2)
    await etcd.restart()
    await etcd.ctl('del', `/hello/${A}`)
    watch.child.kill('SIGCONT')
    await watch.printed('"type":"gone"')
    await until(
      () => watch.stdout.includes('"type":"added"'),
      () => 'the endpoint that was added meanwhile',
    )
    await watch.end('SIGINT')
    const events = watch.events().filter(({ type }) => type === 'added' || type === 'gone')
    expect(events).toMatchObject([
      { type: 'added', addr: B },
      { type: 'gone', addr: A },
    ])
  })

  test('continues after a compaction', async () => {
    await put(A, 1)
    const watch = await watching()
    for (const weight of [2, 3, 4]) await put(A, weight)
    await watch.printed('"type":"weight"', 3)
    await etcd.ctl('compact', String(await revision(etcd)))
    await put(B, 1)
    const events = await eventsOf(watch, 5)
    expect(events.map(({ type }) => type)).toEqual(['synced', 'weight', 'weight', 'weight', 'added'])
  })

  test('reports changes that were compacted during an outage as one resync', async () => {
    await put(A, 1)
    const watch = await watching()
    await etcd.kill()
    await watch.printed('"type":"stale"')
    watch.child.kill('SIGSTOP')
    await etcd.restart()
    await etcd.ctl('del', `/hello/${A}`)
    await put(B, 2)
    await etcd.ctl('compact', String(await revision(etcd)))
    watch.child.kill('SIGCONT')
    await watch.printed('"type":"added"')
    const events = await eventsOf(watch, 5)
    const resyncs = events.filter(({ type }) => type === 'resync')
    expect(resyncs.at(-1)).toMatchObject({ missedRevisions: 2, changes: 2 })
    expect(events.slice(-2)).toMatchObject([
      { type: 'gone', addr: A },
      { type: 'added', addr: B },
    ])
  })
})
