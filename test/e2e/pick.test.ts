import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PickDoc } from '../../src/cli/pick/document.js'
import type { ResolveDoc } from '../../src/cli/resolve/document.js'
import { Disco } from '../support/disco.js'
import { type Etcd, RealEtcd } from '../support/etcd.js'
import { revision } from '../support/etcd-state.js'
import { ResidentTool } from '../support/resident-tool.js'
import { expectShape } from '../support/shape.js'
import { sharedEtcd } from '../support/shared-etcd.js'

/** No server listens at these addresses: neither pick nor resolve connects to endpoints. */
const ADDRS = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80', '10.0.0.4:80', '10.0.0.5:80']

let etcd: Etcd
let cacheFolder: string
let tool: ResidentTool

beforeAll(async () => {
  etcd = await sharedEtcd()
  cacheFolder = mkdtempSync(join(tmpdir(), 'disco-cache-'))
  tool = new ResidentTool(etcd.endpoint, { XDG_CACHE_HOME: cacheFolder })
  for (const [at, addr] of ADDRS.entries()) {
    const [version, zone] = at < 4 ? ['1.0.0', 'a'] : ['2.0.0', 'b']
    const value = { name: 'hello', addr, version, weight: at < 4 ? 1 : 10, id: `e${at}`, metadata: { zone } }
    await etcd.ctl('put', `/hello/${version}/${addr}`, JSON.stringify(value))
  }
})
afterAll(async () => {
  await tool[Symbol.asyncDispose]()
  rmSync(cacheFolder, { recursive: true, maxRetries: 5 })
})

async function output(...args: string[]): Promise<string> {
  const ran = await tool.run(...args)
  expect(ran, ran.stderr).toMatchObject({ code: 0, stderr: '' })
  return ran.stdout
}

async function picked(...args: string[]): Promise<PickDoc> {
  return JSON.parse(await output('pick', ...args, '--json')) as PickDoc
}

async function resolved(...args: string[]): Promise<ResolveDoc> {
  return JSON.parse(await output('resolve', ...args, '--json')) as ResolveDoc
}

const counts = (doc: PickDoc) => doc.endpoints.map(({ picks }) => picks)

describe('pick', () => {
  test('reports exact shares under weighted_round_robin, and gaps below one pick', async () => {
    const doc = await picked('hello', '--n', '1400')
    expect(counts(doc)).toEqual([100, 100, 100, 100, 1000])
    expect(doc).toMatchObject({
      target: 'etcd:///hello',
      service: 'hello',
      source: 'etcd',
      rev: String(await revision(etcd)),
      policy: 'weighted_round_robin',
      shares: 'exact',
      picks: 1400,
      refused: 0,
      moves: null,
    })
    expect(doc.gap).toBeLessThan(1)
    expect(doc.gap).toBeGreaterThan(0)
    expect(doc.endpoints[4]).toMatchObject({ share: 0.7143, expected: 1000, gap: 0 })
  })

  test('accepts the short name of every policy, and repeats random picks for the same seed', async () => {
    const names = ['rr', 'random', 'wrandom', 'lr', 'ring', 'source', 'pick_first']
    const docs = await Promise.all(names.map((policy) => picked('hello', '--policy', policy)))
    for (const doc of docs) expect(counts(doc).reduce((sum, count) => sum + count)).toBe(1000)
    expect(new Set(docs.map(({ policy }) => policy)).size).toBe(7)
    const seeds = ['1', '2'].map((seed) => picked('hello', '--policy', 'wrandom', '--seed', seed))
    const [same, other] = (await Promise.all(seeds)).map(counts)
    expect(same).toEqual(docs[2] && counts(docs[2]))
    expect(other).not.toEqual(same)
  })

  test('reports how many keys move under ring_hash when an endpoint leaves, and from where', async () => {
    const { moves } = await picked('hello', '--policy', 'ring', '--without', ADDRS[0] ?? '', '--n', '10000')
    expect(moves).toMatchObject({ without: ADDRS[0], keys: 10_000 })
    expect(moves?.moved).toBe(moves?.own)
    expect((moves?.moved ?? 0) / 10_000).toBeLessThan(1 / 14 + 0.05)
    expect(moves?.moved).toBeGreaterThan(0)
  })

  test('sends every pick with the same hash key to one endpoint', async () => {
    const doc = await picked('hello', '--policy', 'ring_hash', '--hash-key', 'alice')
    expect(counts(doc).toSorted((a, b) => a - b)).toEqual([0, 0, 0, 0, 1000])
    expect(doc.parameters).toEqual({ key: 'alice' })
  })

  test('supports pinned with an id, without a matching endpoint, and with a fallback', async () => {
    expect(counts(await picked('hello', '--policy', 'pinned', '--pin', 'e2'))).toEqual([0, 0, 1000, 0, 0])
    expect(await picked('hello', '--policy', 'pinned', '--pin', 'x')).toMatchObject({ refused: 1000 })
    const fallback = await picked('hello', '--policy', 'pinned', '--pin', 'x', '--pin-fallback', 'rr')
    expect(counts(fallback)).toEqual([200, 200, 200, 200, 200])
  })

  test('computes the shares within a selection', async () => {
    expect(counts(await picked('etcd:///hello?zone=a'))).toEqual([250, 250, 250, 250])
    expect(counts(await picked('etcd://2.0.0/hello'))).toEqual([1000])
  })

  test('prints a table', async () => {
    const table = await output('pick', 'hello', '--n', '1400')
    const rev = await revision(etcd)
    expect(table).toContain(
      `etcd:///hello   policy weighted_round_robin   1400 picks   from etcd, rev ${rev}\n`,
    )
    expect(table).toMatch(/^10\.0\.0\.5:80 +2\.0\.0 +10 +1000 +71\.4% +71\.4% +0\.00 +█{20}\|$/m)
    expect(table).toMatch(/largest gap 0\.\d\d picks at any moment: always below 1 under this policy\n$/)
  })

  test.each([
    [['--policy', 'wwrr'], 'Unknown LB policy "wwrr"', 'Did you mean wrr?'],
    [['--without', 'x'], '--without has no effect with policy', 'ring_hash'],
    [['--policy', 'pinned', '--pin', 'a', '--pin-fallback', 'b'], 'Unknown LB policy "b"', 'Available:'],
  ])('%j is refused', async (args, message, hint) => {
    const { code, stdout, stderr } = await tool.run('pick', 'hello', ...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr).toContain(hint)
  })

  test('exits 4 for --without an unknown endpoint, and lists the available ones', async () => {
    const { code, stderr } = await tool.run('pick', 'hello', '--policy', 'ring', '--without', 'x')
    expect(code).toBe(4)
    expect(stderr).toContain(`Available: ${ADDRS.join(', ')}`)
  })
})

describe('resolve', () => {
  test('shows the endpoints of a service with weights and attributes, and the service config', async () => {
    const doc = await resolved('hello')
    expect(doc).toMatchObject({
      target: 'etcd:///hello',
      authority: 'hello',
      source: 'etcd',
      ageMs: 0,
      stale: null,
    })
    expect(doc.serviceConfig).toMatchObject({ loadBalancingConfig: [{ disco_weighted_round_robin: {} }] })
    expect(doc.endpoints[4]).toEqual({
      key: '/hello/2.0.0/10.0.0.5:80',
      addresses: ['10.0.0.5:80'],
      weight: 10,
      share: 0.7143,
      attributes: { version: '2.0.0', id: 'e4', layout: 'seed', metadata: { zone: 'b' } },
    })
  })

  test('accepts a selector, and a selector that spills over', async () => {
    expect((await resolved('etcd:///hello?zone=b')).endpoints).toMatchObject([{ weight: 10, share: 1 }])
    expect((await resolved('etcd:///hello?zone=x&spill-over')).endpoints).toHaveLength(5)
  })

  test('resolves targets of other schemes', async () => {
    expect(await output('resolve', 'ipv4:127.0.0.1:80,127.0.0.1:81', '-o', 'name')).toBe(
      '127.0.0.1:80\n127.0.0.1:81\n',
    )
    expect(await output('resolve', 'ipv6:[::1]:80', '-o', 'name')).toBe('[::1]:80\n')
    expect(await output('resolve', 'unix:/tmp/x', '-o', 'name')).toBe('unix:/tmp/x\n')
    expect(await resolved('127.0.0.1:80')).toMatchObject({
      target: 'dns:127.0.0.1:80',
      service: null,
      source: 'dns',
      rev: null,
      serviceConfig: null,
      authority: '127.0.0.1:80',
      endpoints: [{ weight: 1, share: 1 }],
    })
  })

  test('exits 4 for a name that does not resolve', async () => {
    const { code, stderr } = await tool.run('resolve', 'dns:///nobody.invalid:80')
    expect(code).toBe(4)
    expect(stderr).toContain('nobody.invalid')
  })

  test.each([
    ['foo:///x', 2, 'Unknown scheme of the target'],
    ['etcd:///', 2, 'has no service'],
    ['etcd:///hello?spill-over=yes', 2, 'expected true or false'],
    ['helo', 4, 'Did you mean hello?'],
    ['etcd:///hello?zone=x', 4, 'No endpoint of hello is selected by -l zone=x'],
  ])('%s is refused', async (target, code, message) => {
    const ran = await tool.run('resolve', target)
    expect(ran).toMatchObject({ code, stdout: '' })
    expect(ran.stderr).toContain(message)
  })

  test('prints the cached list while etcd is unavailable, with its age and marked stale, and exits 3 without a cache', async () => {
    // The cache is keyed by etcd endpoint, so the test uses an etcd of its own that it can stop.
    const member = await RealEtcd.start()
    const tool = new Disco(member.endpoint, { XDG_CACHE_HOME: cacheFolder })
    try {
      const value = { name: 'hello', addr: '10.0.0.9:80', version: '', weight: 3 }
      await member.ctl('put', '/hello/10.0.0.9:80', JSON.stringify(value))
      const before = JSON.parse((await tool.run('resolve', 'hello', '--json')).stdout) as ResolveDoc
      expect(before).toMatchObject({ source: 'etcd' })
      await member.kill()
      const away = (...args: string[]) => tool.run(...args, '--command-timeout', '1s')
      const [kept, table, picks, without] = await Promise.all([
        away('resolve', 'hello', '--json'),
        away('resolve', 'hello'),
        away('pick', 'hello', '--json'),
        away('resolve', 'hello', '--no-cache'),
      ])
      expect(kept.code).toBe(0)
      const doc = JSON.parse(kept.stdout) as ResolveDoc
      expect(doc).toMatchObject({ source: 'cache', rev: before.rev, endpoints: before.endpoints })
      expect(doc.ageMs).toBeGreaterThan(0)
      expect(doc.stale).toContain('etcd is not reachable')
      expect(table.stdout).toMatch(/from the cache, rev \d+, seen \d+s ago\n! STALE: etcd is not reachable/)
      expect(JSON.parse(picks.stdout)).toMatchObject({ source: 'cache', endpoints: [{ picks: 1000 }] })
      expect(without.code).toBe(3)
      expect(without.stderr).toContain('etcd is not reachable')
    } finally {
      await tool.stopAll()
      await member.stop()
    }
  })
})

test('JSON documents and lines of pick and resolve have the fields of their golden files', async () => {
  await etcd.ctl('put', '/portless/10.0.0.9', '{"name":"portless","addr":"10.0.0.9","version":"","weight":1}')
  const portless = (await tool.run('resolve', 'portless', '--json')).stdout
  const toOne = ['pick', 'hello', '--policy', 'pinned', '--pin', 'e1']
  const [pinned, hashed, ...rest] = await Promise.all([
    output(...toOne, '--json'),
    output('pick', 'hello', '--policy', 'ring', '--without', ADDRS[0] ?? '', '--json'),
    output('resolve', 'hello', '--json'),
    output('resolve', '127.0.0.1:80', '--json'),
    output(...toOne, '-o', 'ndjson'),
    output('pick', 'hello', '-o', 'ndjson'),
    output('resolve', 'hello', '-o', 'ndjson'),
  ])
  const [registered = '', dns = '', pinnedLines = '', pickLines = '', resolveLines = ''] = rest
  expectShape('pick', JSON.parse(pinned), JSON.parse(hashed))
  expectShape('resolve', JSON.parse(registered), JSON.parse(dns), JSON.parse(portless))
  const lines = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
  expectShape('picked', ...lines(pinnedLines), ...lines(pickLines))
  expectShape('resolved', ...lines(resolveLines))
})
