import { beforeEach, describe, expect, test } from 'vitest'
import type { EndpointsDoc } from '../../src/cli/endpoints/document.js'
import { answeredRequests } from '../support/answered-requests.js'
import type { Ran } from '../support/disco.js'
import { EtcdApi } from '../support/etcd-api.js'
import { grantLease, leaseIds, registration, revision } from '../support/etcd-state.js'
import { expectShape } from '../support/shape.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'
import { Writer } from '../support/writer.js'

const { etcd, disco, tool } = await toolOnEtcd()

async function put(
  service: string,
  addr: string,
  options: { version?: string; weight?: number; lease?: string } = {},
): Promise<void> {
  const lease = options.lease === undefined ? [] : [`--lease=${options.lease}`]
  await etcd.ctl('put', ...registration(service, addr, options), ...lease)
}

/** Standard output of a successful command. */
async function output(...args: string[]): Promise<string> {
  const ran = await tool.run(...args)
  expect(ran.code, ran.stderr).toBe(0)
  return ran.stdout
}

async function listed(service: string): Promise<EndpointsDoc> {
  return JSON.parse(await output('ls', service, '--json')) as EndpointsDoc
}

/** The cells of a table, whose columns are separated by two or more spaces. */
function cells(table: string): string[][] {
  return table
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/))
}

function lines(ndjson: string): unknown[] {
  return ndjson
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
}

describe('ls', () => {
  test('of one service shows weight, share, TTL left and granted, lease and revision', async () => {
    const lease = await grantLease(etcd, 100)
    await put('hello', '127.0.0.1:1001', { version: '1.0.0', weight: 1, lease })
    await put('hello', '127.0.0.1:1002', { version: '2.0.0', weight: 3, lease })
    const rev = await revision(etcd)
    const [head, first, second, ...rest] = cells(await output('ls', 'hello'))
    expect(head).toEqual(['ADDRESS', 'VERSION', 'WEIGHT', 'SHARE', 'TTL', 'LEASE', 'REV', 'NOTE'])
    const ttl = expect.stringMatching(/^\d+s\/100s$/) as string
    const shown = `…${lease.slice(-4)}`
    expect(first).toEqual(['●', '127.0.0.1:1001', '1.0.0', '1', '25.0%', ttl, shown, String(rev - 1)])
    expect(second).toEqual(['●', '127.0.0.1:1002', '2.0.0', '3', '75.0%', ttl, shown, String(rev)])
    expect(rest).toEqual([])
    const doc = await listed('hello')
    expect(doc).toMatchObject({ schema: 'disco.endpoints/v1', service: 'hello', rev: String(rev) })
    expect(doc.endpoints[1]).toMatchObject({
      key: '/hello/2.0.0/127.0.0.1:1002',
      addr: '127.0.0.1:1002',
      version: '2.0.0',
      weight: 3,
      share: 0.75,
      lease,
      grantedTtlSeconds: 100,
      layout: 'seed',
      metadata: {},
      problem: null,
      createRevision: String(rev),
      modRevision: String(rev),
    })
    expect(doc.endpoints[1]?.ttlSeconds).toBeGreaterThan(0)
    expect(doc.endpoints[1]?.ttlSeconds).toBeLessThanOrEqual(100)
  })

  test('of all services shows a row per service with the shortest TTL; -o name prints one name per line', async () => {
    const [long, short] = [await grantLease(etcd, 5000), await grantLease(etcd, 100)]
    await put('hello', '127.0.0.1:1001', { version: '2.0.0', weight: 4, lease: long })
    await put('hello', '127.0.0.1:1002', { version: '1.0.0', weight: 3, lease: short })
    await put('payments', '127.0.0.1:1003', { weight: 1 })
    const ran = await tool.run('ls')
    expect(cells(ran.stdout)).toEqual([
      ['SERVICE', 'VERSIONS', 'ENDPOINTS', 'WEIGHT', 'MIN TTL', 'LAYOUT'],
      ['hello', '1.0.0, 2.0.0', '2', '7', expect.stringMatching(/^\d{2,3}s$/), 'seed'],
      ['payments', '1', '1', 'none', 'seed'],
    ])
    expect(ran.stderr).toBe(`2 services, 3 endpoints (rev ${await revision(etcd)})\n`)
    expect(await output('ls', '-o', 'name')).toBe('hello\npayments\n')
    expect(await output('ls', 'hello', '-o', 'name')).toBe('127.0.0.1:1002\n127.0.0.1:1001\n')
  })

  test('of an empty registry prints an empty document, and exits 0', async () => {
    expect(JSON.parse(await output('ls', '--json'))).toMatchObject({ services: [] })
  })

  test('of hello does not list hello2 or hell', async () => {
    for (const service of ['hell', 'hello', 'hello2', 'hello-2']) await put(service, '127.0.0.1:1001')
    expect((await listed('hello')).endpoints.map(({ key }) => key)).toEqual(['/hello/127.0.0.1:1001'])
  })

  test('shows weight 0 as drained if another endpoint has a weight, and otherwise as unset', async () => {
    const lease = await grantLease(etcd, 100)
    await put('some', '127.0.0.1:1001', { weight: 0, lease })
    await put('some', '127.0.0.1:1002', { weight: 2, lease })
    await put('none', '127.0.0.1:1001', { weight: 0, lease })
    await put('none', '127.0.0.1:1002', { weight: 0, lease })
    const [, drained, other] = cells(await output('ls', 'some'))
    expect(drained).toMatchObject({ 0: '◐', 3: '0.0%', 7: 'drained' })
    expect(other).toMatchObject({ 0: '●', 3: '100.0%' })
    const [, ...unset] = cells(await output('ls', 'none'))
    for (const row of unset) expect(row).toMatchObject({ 0: '●', 3: '50.0%', 7: 'weights unset' })
    expect(await listed('none')).toMatchObject({ weightsUnset: true, endpoints: [{ share: 0.5 }, {}] })
    expect(await listed('some')).toMatchObject({ weightsUnset: false, endpoints: [{ share: 0 }, {}] })
  })

  test('marks a key without a lease; -o wide shows the whole lease id and the key', async () => {
    const lease = await grantLease(etcd, 100)
    await put('hello', '127.0.0.1:1001')
    await put('hello', '127.0.0.1:1002', { lease })
    const [head, immortal, held] = cells(await output('ls', 'hello', '-o', 'wide'))
    expect(head).toContain('KEY')
    expect(immortal).toEqual(expect.arrayContaining(['✗', 'none', 'no lease', '/hello/127.0.0.1:1001']))
    expect(held).toEqual(expect.arrayContaining(['●', lease, '/hello/127.0.0.1:1002']))
  })
})

describe('ls of a service with unreadable values', () => {
  const ESC = '\u001b[31m'
  const CSI = '\u009b31m'
  const value = (fields: object) =>
    JSON.stringify({ name: 'bad', addr: '127.0.0.1:1001', version: '', weight: 5, ...fields })
  const broken: [key: string, value: string, problem: string][] = [
    ['/bad/127.0.0.1:1001', 'not JSON', 'not JSON'],
    ['/bad/127.0.0.1:1002', '[]', 'not a JSON object'],
    ['/bad/127.0.0.1:1003', value({ addr: '127.0.0.1:1003', weight: '5' }), 'weight is not a number'],
    ['/bad/127.0.0.1:1004', value({ addr: '127.0.0.1:1004', weight: -1 }), 'weight -1'],
    ['/bad/127.0.0.1:1005', value({ addr: '127.0.0.1:1006' }), 'value names /bad/127.0.0.1:1006'],
    ['/bad/127.0.0.1:1007', `${ESC}red`, 'not JSON'],
    ['/bad/127.0.0.1:1008', value({ addr: `127.0.0.1:1008${ESC}` }), 'addr has control characters'],
    [`/bad/1${CSI}/127.0.0.1:1009`, value({ version: `1${CSI}` }), 'version has control characters'],
    [`/bad/${ESC}]0;title\u0007`, `${ESC}`, 'not JSON'],
    ['/bad/unix:/a\u007f', value({ addr: 'unix:/a\u007f' }), 'addr has control characters'],
    ['/bad/nowhere', value({ addr: 'nowhere' }), 'has no port'],
  ]
  /** All control characters except line feed, which separates the lines of the output. */
  const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/

  beforeEach(async () => {
    for (const [key, text] of broken) await etcd.ctl('put', '--', key, text)
    const lease = await grantLease(etcd, 100)
    const metadata = { zone: `a${ESC}`, [`b${CSI}`]: '' }
    const good = value({ addr: '127.0.0.1:2000', metadata })
    await etcd.ctl('put', '/bad/127.0.0.1:2000', good, `--lease=${lease}`)
  })

  test('marks each unreadable endpoint with its problem and share 0, and lists the others', async () => {
    const { endpoints } = await listed('bad')
    const byKey = new Map(endpoints.map((endpoint) => [endpoint.key, endpoint]))
    expect(endpoints).toHaveLength(broken.length + 1)
    for (const [key, , problem] of broken) {
      const endpoint = byKey.get(key)
      expect(endpoint?.problem, key).toContain(problem)
      expect(endpoint).toMatchObject({ share: 0 })
    }
    expect(byKey.get('/bad/127.0.0.1:2000')).toMatchObject({ problem: null, weight: 5, share: 1 })
    const rows = cells(await output('ls', 'bad')).slice(1)
    expect(rows.filter(([glyph]) => glyph === '✗')).toHaveLength(broken.length)
    expect(rows.filter(([glyph]) => glyph === '●')).toHaveLength(1)
  })

  test('prints no control character, in any format, on stdout or stderr', async () => {
    const key = `/bad/${ESC}]0;title\u0007`
    const runs: Ran[] = [
      ...(await Promise.all(
        ['table', 'wide', 'json', 'ndjson', 'name'].map((format) => tool.run('ls', 'bad', '-o', format)),
      )),
      await tool.run('ls'),
      await tool.run('ls', `${ESC}bad`),
      await tool.run('weight', 'bad', key, '5'),
      await tool.run('unregister', 'bad', `127.0.0.1:1${ESC}`),
      await tool.run('call', 'bad', `SayHello${ESC}`, '--policy', ESC),
      await tool.run('unregister', 'bad', key),
    ]
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0, 4, 6, 2, 2, 0])
    for (const { stdout, stderr } of runs) {
      expect(stdout).not.toMatch(CONTROLS)
      expect(stderr).not.toMatch(CONTROLS)
    }
    const names = runs.slice(0, 4).map(({ stdout }) => stdout)
    for (const text of names) expect(text).toContain('\\u001b')
  })
})

test('ls lists all of 12,000 keys at one revision while they change', async () => {
  const COUNT = 12_000
  const FIRST_PORT = 10_000
  const api = new EtcdApi(etcd.endpoint)
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const putOp = (addr: string) => {
    const [key, value] = registration('many', addr)
    return { request_put: { key: base64(key), value: base64(value) } }
  }
  try {
    for (let port = FIRST_PORT; port < FIRST_PORT + COUNT; port += 100) {
      const success = Array.from({ length: 100 }, (_, index) => putOp(`127.0.0.1:${port + index}`))
      await api.get('KV/Txn', { success })
    }
    const listing = disco.start('ls', 'many', '--json')
    const closed = listing.exited()
    // Each transaction moves a key from the last page to the first. A list made from two revisions would miss some
    // keys.
    let moved = 0
    for (; listing.child.exitCode === null && moved < 2000; moved++) {
      const key = base64(`/many/127.0.0.1:${FIRST_PORT + COUNT - 1 - moved}`)
      const success = [{ request_delete_range: { key } }, putOp(`10.0.0.1:${FIRST_PORT + moved}`)]
      await api.get('KV/Txn', { success })
    }
    expect(moved).toBeGreaterThan(0)
    const doc = JSON.parse((await closed).stdout) as EndpointsDoc
    expect(new Set(doc.endpoints.map(({ addr }) => addr)).size).toBe(COUNT)
    const newest = Math.max(...doc.endpoints.map(({ modRevision }) => Number(modRevision)))
    expect(newest).toBeLessThanOrEqual(Number(doc.rev))
  } finally {
    api.close()
  }
})

/** An endpoint with a hint if its weight is 0: Kitex’ own clients read weight 0 as 10. */
function hinted(weight: number): [key: string, value: string] {
  const value = { network: 'tcp', address: '127.0.0.1:1009', weight, tags: null }
  return ['/hello/127.0.0.1:1009', JSON.stringify(value)]
}

describe('JSON documents have the fields and types of their golden files', () => {
  test('of endpoints and endpoint, services and service', async () => {
    const lease = await grantLease(etcd, 100)
    await put('hello', '127.0.0.1:1001', { version: '1.0.0', lease })
    await etcd.ctl('put', '/hello/x', 'not JSON')
    await etcd.ctl('put', ...hinted(0))
    await put('payments', '127.0.0.1:1003')
    expectShape('endpoints', await listed('hello'))
    expectShape('endpoint', ...lines(await output('ls', 'hello', '-o', 'ndjson')))
    expectShape('services', JSON.parse(await output('ls', '--json')))
    expectShape('service', ...lines(await output('ls', '-o', 'ndjson')))
  })

  test('of weight, unregister and error', async () => {
    await put('hello', '127.0.0.1:1001')
    await etcd.ctl('put', ...hinted(10))
    await etcd.ctl('put', '/hello/x', 'not JSON')
    const weight = await output('weight', 'hello', '--all', '0', '--json', '--force')
    expectShape('weight', JSON.parse(weight))
    const unregister = await output('unregister', 'hello', '127.0.0.1:1001', '--json')
    expectShape('unregister', JSON.parse(unregister))
    expectShape('error', JSON.parse((await tool.run('ls', 'helo', '--json')).stdout))
  })
})

test('ls writes nothing and takes no lease', async () => {
  await put('hello', '127.0.0.1:1001')
  const before = await revision(etcd)
  await Promise.all([output('ls'), output('ls', 'hello'), output('ls', 'hello', '--json')])
  expect(await revision(etcd)).toBe(before)
  expect(await leaseIds(etcd)).toEqual([])
})

describe('ls requests the remaining TTL', () => {
  /** Registers `count` endpoints, each with a lease of its own. */
  async function putLeased(service: string, count: number): Promise<void> {
    using writer = new Writer(etcd.endpoint, service)
    const put = async (_: unknown, port: number) => {
      const { ID } = await writer.api.get('Lease/LeaseGrant', { TTL: '100', ID: '0' })
      await writer.put(1_024 + port, 1, String(ID))
    }
    await Promise.all(Array.from({ length: count }, put))
  }

  /** Number of LeaseTimeToLive requests that a command sends. */
  async function requestsOf(...args: string[]): Promise<number> {
    const before = await answeredRequests(etcd, 'LeaseTimeToLive')
    await output(...args)
    return (await answeredRequests(etcd, 'LeaseTimeToLive')) - before
  }

  test('once per lease, regardless of how many endpoints share it, and not for -o name or --rev', async () => {
    const [one, other] = [await grantLease(etcd, 100), await grantLease(etcd, 100)]
    for (const port of [1, 2, 3]) await put('hello', `127.0.0.1:100${port}`, { lease: one })
    await put('hello', '127.0.0.1:1004', { lease: other })
    await put('payments', '127.0.0.1:1005', { lease: other })
    await put('payments', '127.0.0.1:1006')
    const rev = String(await revision(etcd))
    const asked: [requests: number, args: readonly string[]][] = [
      ...[[], ['-o', 'json'], ['-o', 'ndjson']].map((format): [number, string[]] => [2, format]),
      [0, ['-o', 'name']],
      [0, ['--rev', rev]],
    ]
    for (const [requests, args] of asked) {
      expect(await requestsOf('ls', ...args)).toBe(requests)
      expect(await requestsOf('ls', 'hello', ...args)).toBe(requests)
      expect(await requestsOf('ls', '-l', 'weight>0', ...args)).toBe(requests)
    }
    expect(await requestsOf('ls', 'payments', '--sort', 'address', '-o', 'name')).toBe(0)
    expect(await requestsOf('ls', 'payments')).toBe(1)
    expect(await requestsOf('ls', 'hello', '127.0.0.1:1004', '127.0.0.1:1001')).toBe(2)
  })

  test('of more than 1,000 leases only with --ttl, and otherwise omits it with a note', async () => {
    await putLeased('hello', 1_000)
    expect(await requestsOf('ls', 'hello')).toBe(1_000)
    await put('hello', '127.0.0.1:1001', { lease: await grantLease(etcd, 100) })
    const before = await answeredRequests(etcd, 'LeaseTimeToLive')
    const without = await tool.run('ls', 'hello', '--json')
    const doc = JSON.parse(without.stdout) as EndpointsDoc
    expect(doc.ttlsAsked).toBe(false)
    expect(doc.endpoints[0]).toMatchObject({ lease: expect.any(String), ttlSeconds: null })
    const remark = 'The TTLs of 1001 leases are left out; --ttl shows them\n'
    expect(without.stderr).toBe(remark)
    const [head] = cells(await output('ls', 'hello'))
    expect(head).not.toContain('TTL')
    const services = await tool.run('ls')
    expect(cells(services.stdout)[0]).not.toContain('MIN TTL')
    expect(services.stderr).toContain(remark)
    expect(await answeredRequests(etcd, 'LeaseTimeToLive')).toBe(before)
    const asked = JSON.parse(await output('ls', 'hello', '--ttl', '--json')) as EndpointsDoc
    expect(asked.ttlsAsked).toBe(true)
    expect(asked.endpoints.every(({ ttlSeconds }) => (ttlSeconds ?? 0) > 50)).toBe(true)
    expect(await answeredRequests(etcd, 'LeaseTimeToLive')).toBe(before + 1_001)
    expect(await requestsOf('ls', '--ttl', '-o', 'name')).toBe(0)
  })
})
