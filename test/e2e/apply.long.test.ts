import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import type { ApplyDoc } from '../../src/cli/apply/document.js'
import { type Rng, seeded } from '../../src/domain/rng.js'
import { Registry } from '../../src/registry/registry.js'
import { Disco, until } from '../support/disco.js'
import { rounds } from '../support/effort.js'
import { RealEtcd } from '../support/etcd.js'
import { EtcdApi } from '../support/etcd-api.js'
import { enableAuth } from '../support/etcd-auth.js'
import { registration, revision, storedText, wipe } from '../support/etcd-state.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'
import { LAYOUT_VECTORS } from '../support/vectors.js'

const { etcd, disco, tool } = await toolOnEtcd()

const folder = mkdtempSync(join(tmpdir(), 'disco-apply-'))
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 5 }))

const base64 = (text: string) => Buffer.from(text).toString('base64')

interface Stored {
  readonly value: string
  readonly modRevision: number
  readonly lease: string
}

/** All keys of etcd. */
async function stored(api: EtcdApi, prefix = '\0'): Promise<Map<string, Stored>> {
  const end = prefix === '\0' ? '\0' : `${prefix}\xff`
  const answer = await api.get('KV/Range', {
    key: base64(prefix),
    range_end: Buffer.from(end, 'latin1').toString('base64'),
  })
  const { kvs } = answer as { kvs: { key: string; value: string; mod_revision: string; lease: string }[] }
  return new Map(
    kvs.map((kv) => [
      Buffer.from(kv.key, 'base64').toString(),
      {
        value: Buffer.from(kv.value, 'base64').toString(),
        modRevision: Number(kv.mod_revision),
        lease: kv.lease,
      },
    ]),
  )
}

/** Endpoints as the registry reads them, without the lease and the revisions, which a copy does not have. */
async function endpoints(): Promise<object[]> {
  const registry = await Registry.open({ endpoints: [etcd.endpoint], layout: 'auto', cache: false })
  try {
    const { endpoints: all } = await registry.list()
    return all.map(({ lease: _lease, createRevision: _create, modRevision: _mod, ...endpoint }) => endpoint)
  } finally {
    registry.close()
  }
}

const EXACT = LAYOUT_VECTORS.filter(({ id, exactness }) => exactness.startsWith('exact') && id !== 'traefik')

describe.each(EXACT)('$id', ({ examples }) => {
  test.each(['yaml', 'json'])('export, wipe, apply restores the same registry (%s)', async (format) => {
    const seen = new Set<string>()
    // Two examples may have the same key, so each is tested in turn.
    const passes = [examples.filter(({ key }) => !seen.has(key) && seen.add(key)), examples]
    for (const pass of passes) {
      for (const { key, value } of pass) await etcd.ctl('put', '--', key, value)
      const before = await endpoints()
      using api = new Closing(etcd.endpoint)
      const keys = await stored(api.api)
      const file = join(folder, `registry.${format}`)
      const ran = await tool.run('export', '-o', format)
      expect(ran.code, ran.stderr).toBe(0)
      writeFileSync(file, ran.stdout)
      await wipe(etcd)
      const { code, stderr } = await tool.run('apply', '-f', file, '--yes')
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(before.length).toBeGreaterThan(0)
      expect(await endpoints()).toEqual(before)
      const equal = await tool.run('diff', '--against', file)
      expect({ code: equal.code, stderr: equal.stderr }, equal.stdout).toEqual({ code: 0, stderr: '' })
      for (const [key, { value }] of await stored(api.api)) expect(value).toBe(keys.get(key)?.value)
      const [first] = before as { key: string }[]
      await etcd.ctl('del', '--', first?.key ?? '')
      expect(await tool.run('diff', '--against', file)).toMatchObject({ code: 1 })
    }
  })
})

class Closing implements Disposable {
  readonly api: EtcdApi
  constructor(endpoint: string) {
    this.api = new EtcdApi(endpoint)
  }
  [Symbol.dispose](): void {
    this.api.close()
  }
}

/** A file of `count` endpoints of many services, and the keys and values that apply writes for it. */
function bigFile(name: string, count: number, weightOf: (index: number) => number) {
  const wanted = new Map<string, string>()
  const entries = Array.from({ length: count }, (_, index) => {
    const service = `service-${index % 40}`
    const addr = `10.0.${index >> 8}.${index & 255}:1001`
    const weight = weightOf(index)
    wanted.set(...registration(service, addr, { weight }))
    return { service, addr, weight, leased: false }
  })
  const file = join(folder, name)
  writeFileSync(file, JSON.stringify({ schema: 'disco.registry/v1', endpoints: entries }))
  return { file, wanted, entries }
}

/** Writes some of the file’s keys with other weights, and keys that are not in the file. */
async function scramble(
  api: EtcdApi,
  wanted: ReadonlyMap<string, string>,
  random: Rng,
): Promise<Set<string>> {
  const values = new Set(wanted.values())
  const puts: object[] = []
  for (const [key, value] of wanted) {
    const draw = random()
    if (draw < 0.4) continue
    const other = draw < 0.8 ? value.replace(/"weight":\d+/, '"weight":77') : value
    values.add(other)
    puts.push({ request_put: { key: base64(key), value: base64(other) } })
  }
  for (let index = 0; index < 100; index++) {
    const [key, value] = registration(`service-${index % 40}`, `10.9.9.${index}:1`)
    values.add(value)
    puts.push({ request_put: { key: base64(key), value: base64(value) } })
  }
  for (let at = 0; at < puts.length; at += 128) await api.get('KV/Txn', { success: puts.slice(at, at + 128) })
  return values
}

const KILLS = rounds({ quick: 60, long: 60, full: 200 })
const SEED = 20_261_127

test(`apply killed ${KILLS} times at random moments leaves each value either old or new, and the next apply completes`, async () => {
  const random = seeded(SEED)
  const { file, wanted } = bigFile('kill.json', 1_000, (index) => 1 + (index % 5))
  using closing = new Closing(etcd.endpoint)
  const { api } = closing
  let partly = 0
  let none = 0
  let longestMs = 1_500
  for (let round = 0; round < KILLS; round++) {
    await api.get('KV/DeleteRange', { key: base64('\0'), range_end: base64('\0') })
    const allowed = await scramble(api, wanted, random)
    for (const value of wanted.values()) allowed.add(value)
    const before = await revision(etcd)
    const startMs = performance.now()
    const running = disco.start('apply', '-f', file, '--prune', '--yes', '--json')
    const exited = running.exited()
    // Half of the runs are killed soon after the first transaction, in the middle of the writes.
    if (round % 2 === 0) {
      const written = async () => running.child.exitCode !== null || (await revision(etcd)) > before
      while (!(await written())) await delay(2)
      await delay(random() * 60)
    } else await delay(random() * longestMs)
    running.child.kill('SIGKILL')
    const { code } = await exited
    if (code === 0) longestMs = Math.min(longestMs, performance.now() - startMs)
    const middle = await stored(api)
    const half = [...middle].filter(([, { value }]) => !allowed.has(value))
    expect(half, `in round ${round}`).toEqual([])
    const missing = [...wanted].filter(([key, value]) => middle.get(key)?.value !== value).length
    const isWhole = missing === 0 && middle.size === wanted.size
    if (!isWhole && (await revision(etcd)) > before) partly++
    else if (!isWhole) none++
    const ran = await tool.run('apply', '-f', file, '--prune', '--yes', '--json')
    expect(ran.code, ran.stderr).toBe(0)
    const after = await stored(api)
    expect(after.size, `keys in round ${round}`).toBe(wanted.size)
    const wrong = [...wanted].filter(([key, value]) => after.get(key)?.value !== value)
    expect(wrong, `in round ${round}`).toEqual([])
  }
  // The kills hit more than one phase.
  expect(none).toBeGreaterThan(0)
  expect(partly).toBeGreaterThan(KILLS / 10)
}, 1_800_000)

test('concurrent changes by other clients are not lost: each is made before the plan, or kept', async () => {
  const random = seeded(SEED)
  await using link = await FaultProxy.start(etcd.endpoint)
  link.delay(15)
  const slow = new Disco(link.endpoint)
  using closing = new Closing(etcd.endpoint)
  const { api } = closing
  let moved = 0
  for (let round = 0; round < 10; round++) {
    await api.get('KV/DeleteRange', { key: base64('\0'), range_end: base64('\0') })
    const { file, wanted, entries } = bigFile('race.json', 2_000, () => 5)
    await scramble(api, wanted, random)
    const running = slow.start('apply', '-f', file, '--yes', '--json')
    const written = new Map<string, { revision: number; value: string }>()
    let weight = 1_000
    while (running.child.exitCode === null && running.child.signalCode === null) {
      const { service, addr } = entries[Math.floor(random() * entries.length)] ?? { service: '', addr: '' }
      const [key, value] = registration(service, addr, { weight: weight++ })
      const answer = await api.get('KV/Put', { key: base64(key), value: base64(value) })
      const { header } = answer as { header: { revision: string } }
      written.set(key, { revision: Number(header.revision), value })
    }
    const ran = await running.exited()
    expect([0, 6], ran.stderr).toContain(ran.code)
    const doc = JSON.parse(ran.stdout) as ApplyDoc
    const named = new Set(doc.changes.filter(({ end }) => end === 'moved').map(({ key }) => key))
    moved += named.size
    const after = await stored(api)
    for (const [key, { revision: at, value }] of written) {
      const isPlannedOver = at <= Number(doc.planRev)
      if (!isPlannedOver) expect(after.get(key)?.value, `${key} of rev ${at}`).toBe(value)
    }
    // A key that no other client wrote has the value of the file.
    for (const [key, value] of wanted) if (!written.has(key)) expect(after.get(key)?.value).toBe(value)
    for (const key of named) expect(written.has(key)).toBe(true)
    expect(ran.code).toBe(named.size > 0 ? 6 : 0)
  }
  expect(moved).toBeGreaterThan(0)
  await slow.stopAll()
}, 300_000)

test('apply that loses etcd midway reports its progress and exits 3, and the next apply completes', async () => {
  await using link = await FaultProxy.start(etcd.endpoint)
  // With this delay the writes go on for seconds after the first.
  link.delay(100)
  const slow = new Disco(link.endpoint)
  const { file, wanted } = bigFile('away.json', 2_000, () => 3)
  const before = await revision(etcd)
  const running = slow.start('apply', '-f', file, '--yes', '--command-timeout', '4s')
  await until(
    async () => (await revision(etcd)) > before + 1,
    () => 'the first transactions',
  )
  link.blackhole()
  const { code, stderr } = await running.exited()
  expect(code).toBe(3)
  expect(stderr).toMatch(/! [1-9]\d* changes were made before this error; repeat the command to finish/)
  link.heal()
  using closing = new Closing(etcd.endpoint)
  const middle = await stored(closing.api)
  expect(middle.size).toBeLessThan(wanted.size)
  expect((await tool.run('apply', '-f', file, '--yes')).code).toBe(0)
  const after = await stored(closing.api)
  expect(new Map([...after].map(([key, { value }]) => [key, value]))).toEqual(wanted)
  await slow.stopAll()
}, 120_000)

test('a batch that etcd accepts only in halves: the changes of the first half are counted and kept if the second is refused', async () => {
  await using own = await RealEtcd.start({ args: ['--max-txn-ops=4', '--max-request-bytes=8192'] })
  const endpoints = Array.from({ length: 8 }, (_, index) => ({
    service: 'hello',
    addr: `10.0.0.${index + 1}:1`,
    leased: true,
    metadata: { text: 'x'.repeat(index < 4 ? 1 : 20_000) },
  }))
  const file = join(folder, 'halves.json')
  writeFileSync(file, JSON.stringify({ schema: 'disco.registry/v1', endpoints }))
  const refused = await new Disco(own.endpoint).run('apply', '-f', file, '--ttl', '600', '--yes')
  expect(refused.stderr).toContain('4 changes were made before this error')
  expect(refused.code).not.toBe(0)
  const keys = await own.ctl('get', '/hello/', '--prefix', '--keys-only')
  expect(keys.split('\n').filter((key) => key !== '')).toHaveLength(4)
})

test('Ctrl-C ends apply between two transactions with exit code 130', async () => {
  await using link = await FaultProxy.start(etcd.endpoint)
  // With this delay the writes go on for seconds after the first.
  link.delay(100)
  const slow = new Disco(link.endpoint)
  const { file } = bigFile('ctrl-c.json', 2_000, () => 3)
  const before = await revision(etcd)
  const running = slow.start('apply', '-f', file, '--yes', '--json')
  await until(
    async () => (await revision(etcd)) > before + 1,
    () => 'the first transactions',
  )
  const { code, stdout } = await running.end('SIGINT')
  expect(code).toBe(130)
  const doc = JSON.parse(stdout) as ApplyDoc
  expect(doc.end).toBe('interrupted')
  using closing = new Closing(etcd.endpoint)
  const done = doc.changes.filter(({ end }) => end === 'done').length
  expect((await stored(closing.api)).size).toBe(done)
  expect(done).toBeLessThan(2_000)
  await slow.stopAll()
}, 60_000)

test('apply --hold keeps the registrations alive until an owner takes one over; Ctrl-C removes the others', async () => {
  const file = join(folder, 'hold.json')
  const value = '{"name":"hello","addr":"10.0.0.2:1","zone":"b","version":"","weight":3}'
  const endpoints = [
    { service: 'hello', addr: '10.0.0.1:1', grantedTtlSeconds: 5 },
    { service: 'hello', addr: '10.0.0.2:1', weight: 3, key: '/hello/10.0.0.2:1', value },
    { service: 'pay', addr: '10.0.0.3:1', layout: 'kratos', id: 'a' },
  ]
  writeFileSync(file, JSON.stringify({ schema: 'disco.registry/v1', endpoints }))
  const held = disco.start('apply', '-f', file, '--hold', '--yes')
  await held.printed('✓ registered', 3)
  expect(await storedText(etcd, '/hello/10.0.0.2:1')).toBe(value)
  // A second apply --hold holds nothing, because the first one holds the keys.
  const second = await disco.run('apply', '-f', file, '--hold', '--yes')
  expect(second.code).toBe(0)
  expect(second.stderr.match(/is held by another registrar: .*: not held here/g)).toHaveLength(3)
  // The registrations of the first one outlive their TTL.
  await delay(6_000)
  const owner = disco.start('register', 'hello', '10.0.0.1:1', '--takeover', '--ttl', '20')
  await owner.printed('"type":"added"')
  await held.printed('was taken over by lease')
  const { code, stderr } = await held.end('SIGINT')
  expect({ code, stderr: stderr.includes('internal') }).toEqual({ code: 0, stderr: false })
  expect(await storedText(etcd, '/hello/10.0.0.1:1')).not.toBe('')
  expect(await storedText(etcd, '/hello/10.0.0.2:1')).toBe('')
  expect(await storedText(etcd, '/microservices/pay/a')).toBe('')
}, 60_000)

test('apply --hold after a SIGKILL waits for the old lease to expire, and holds the keys again', async () => {
  const file = join(folder, 'held-again.json')
  const endpoints = [{ service: 'hello', addr: '10.0.0.1:1', grantedTtlSeconds: 3 }]
  writeFileSync(file, JSON.stringify({ schema: 'disco.registry/v1', endpoints }))
  const first = disco.start('apply', '-f', file, '--hold', '--yes')
  await first.printed('✓ registered')
  await first.end('SIGKILL')
  const second = disco.start('apply', '-f', file, '--hold', '--yes')
  await second.printed('✓ registered')
  await delay(6_000)
  expect(await storedText(etcd, '/hello/10.0.0.1:1')).not.toBe('')
  expect((await second.end('SIGINT')).code).toBe(0)
}, 60_000)

test('apply --hold of keys of a dead lease holds the others if an owner takes one of them first', async () => {
  const file = join(folder, 'one-taken.json')
  const endpoints = [1, 2, 3].map((port) => ({
    service: 'hello',
    addr: `10.0.0.1:${port}`,
    // Two processes start one after the other before the lease expires, also on a busy machine.
    grantedTtlSeconds: 15,
  }))
  writeFileSync(file, JSON.stringify({ schema: 'disco.registry/v1', endpoints }))
  const first = disco.start('apply', '-f', file, '--hold', '--yes')
  await first.printed('✓ registered', 3)
  await first.end('SIGKILL')
  const second = disco.start('apply', '-f', file, '--hold', '--yes')
  await second.printed('waiting up to', 3)
  const owner = disco.start('register', 'hello', '10.0.0.1:3', '--takeover', '--ttl', '6')
  await owner.printed('"type":"added"')
  await second.printed('✓ registered', 2)
  for (const { addr } of endpoints) expect(await storedText(etcd, `/hello/${addr}`)).not.toBe('')
  const { code, stderr } = await second.end('SIGINT')
  expect(code).toBe(0)
  expect(stderr.match(/: not held here/g)).toHaveLength(1)
  expect(stderr).toContain('/hello/10.0.0.1:3 is held by another registrar')
}, 60_000)

test('apply --ttl: an owner takes a key over at once with --takeover, otherwise once the lease has expired', async () => {
  const file = join(folder, 'ttl.json')
  const endpoints = [1, 2].map((port) => ({ service: 'hello', addr: `10.0.0.1:${port}` }))
  writeFileSync(file, JSON.stringify({ schema: 'disco.registry/v1', endpoints }))
  expect((await tool.run('apply', '-f', file, '--ttl', '5', '--yes')).code).toBe(0)
  const owner = disco.start('register', 'hello', '10.0.0.1:1', '--takeover', '--ttl', '60')
  const patient = disco.start('register', 'hello', '10.0.0.1:2', '--ttl', '60')
  await owner.printed('"type":"added"')
  await patient.printed('"type":"added"')
  await delay(7_000)
  for (const { addr } of endpoints) expect(await storedText(etcd, `/hello/${addr}`)).not.toBe('')
}, 60_000)

test('a user with a role for one service can export and apply that service only', async () => {
  const guarded = await RealEtcd.start()
  try {
    await guarded.ctl('put', ...registration('hello', '10.0.0.1:1'))
    await guarded.ctl('put', ...registration('other', '10.0.0.1:1'))
    await enableAuth(guarded, [{ name: 'alice', password: 'secret', prefix: '/hello/' }])
    const env = { ETCDCTL_USER: 'alice:secret' }
    const user = new Disco(guarded.endpoint, env)
    const { code, stdout, stderr } = await user.run('export', 'hello')
    expect(code, stderr).toBe(0)
    const file = join(folder, 'guarded.yaml')
    writeFileSync(file, stdout.replace('weight: 1', 'weight: 4'))
    expect(await user.run('apply', '-f', file, '--prune', '--yes')).toMatchObject({ code: 0, stderr: '' })
    expect(await storedText(guarded, '/hello/10.0.0.1:1')).toContain('"weight":4')
    writeFileSync(file, stdout.replaceAll('hello', 'other'))
    const denied = await user.run('apply', '-f', file, '--yes')
    expect(denied).toMatchObject({ code: 3, stdout: '' })
    expect(denied.stderr).toContain('etcd denies alice the permission on /other/')
  } finally {
    await guarded.stop()
  }
}, 60_000)

test('apply on a terminal asks for confirmation, and names the production context', async () => {
  const { file } = bigFile('ask.json', 2, () => 1)
  const home = mkdtempSync(join(folder, 'home-'))
  const user = disco.with({ env: { HOME: home, XDG_CONFIG_HOME: home } })
  const add = ['context', 'add', 'prod', '--endpoints', etcd.endpoint, '--production']
  expect(await user.run(...add)).toMatchObject({ code: 0 })
  const before = await revision(etcd)
  const asked = user.onTerminal(200, 24, 'apply', '-C', 'prod', '-f', file)
  await asked.printed('context prod is production. Really apply')
  asked.child.stdin?.write('n\n')
  expect((await asked.exited()).stdout).toContain('Nothing was changed')
  expect(await revision(etcd)).toBe(before)
  const again = user.onTerminal(200, 24, 'apply', '-C', 'prod', '-f', file)
  await again.printed('to context prod: 2 to add?')
  again.child.stdin?.write('y\n')
  expect((await again.exited()).code).toBe(0)
  expect(await revision(etcd)).toBe(before + 1)
}, 60_000)

test('export of 100,000 endpoints uses bounded memory', async () => {
  using closing = new Closing(etcd.endpoint)
  for (let at = 0; at < 100_000; at += 125) {
    const success = Array.from({ length: 125 }, (_, index) => {
      const number = at + index
      const [key, value] = registration(
        'hello',
        `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}:1001`,
      )
      return { request_put: { key: base64(key), value: base64(value) } }
    })
    await closing.api.get('KV/Txn', { success })
  }
  // 60 MB suffice, but within 4 MB of that the garbage collector decides whether a run ends.
  const small = disco.with({ node: ['--max-old-space-size=80'] })
  const file = join(folder, 'large.json')
  const ran = await small.shell(`disco export -o json > ${file}`).exited()
  expect(ran.code, ran.stderr).toBe(0)
  expect(ran.stderr).toContain('100000 endpoints')
  const dry = await disco.run('apply', '-f', file, '--dry-run', '--json')
  expect(JSON.parse(dry.stdout)).toMatchObject({ same: 100_000, changes: [] })
}, 240_000)
