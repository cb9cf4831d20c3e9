import { beforeEach, describe, expect, test } from 'vitest'
import type { EndpointsDoc, SelectedDoc } from '../../src/cli/endpoints/document.js'
import type { ResolveDoc } from '../../src/cli/resolve/document.js'
import type { ServicesDoc } from '../../src/cli/services/document.js'
import { registration, revision } from '../support/etcd-state.js'
import { toolOnOwnEtcd } from '../support/tool-on-etcd.js'

const { etcd, tool } = await toolOnOwnEtcd()

const A = '127.0.0.1:1001'
const B = '127.0.0.1:1002'

/**
 * The revision before the first write of the test; `rev` is the one at which hello has A and B, with weights 1 and 3.
 */
let before: number
let rev: number

beforeEach(async () => {
  before = await revision(etcd)
  rev = before + 2
  await etcd.ctl('put', ...registration('hello', A, { version: '1.0.0' }))
  await etcd.ctl('put', ...registration('hello', B, { version: '2.0.0', weight: 3 }))
  await etcd.ctl('put', ...registration('hello', A, { version: '1.0.0', weight: 7 }))
  await etcd.ctl('del', `/hello/2.0.0/${B}`)
  await etcd.ctl('put', ...registration('pay', B))
})

async function json<Doc>(...args: string[]): Promise<Doc> {
  const { stdout, stderr, code } = await tool.run(...args, '--json')
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout) as Doc
}

describe('ls --rev', () => {
  test('lists a service at a past revision with its shares, without TTLs', async () => {
    const doc = await json<EndpointsDoc>('ls', 'hello', '--rev', String(rev))
    expect(doc).toMatchObject({
      rev: String(rev),
      ttlsAsked: false,
      endpoints: [
        { addr: A, weight: 1, share: 0.25, modRevision: String(before + 1), ttlSeconds: null },
        { addr: B, weight: 3, share: 0.75, modRevision: String(rev) },
      ],
    })
    expect((await tool.run('ls', 'hello', '--rev', String(rev), '-o', 'name')).stdout).toBe(`${A}\n${B}\n`)
    const table = await tool.run('ls', 'hello', '--rev', String(rev))
    expect(table.stdout).toContain(B)
    expect(table.stdout).not.toContain('TTL')
  })

  test('lists all services, and selected endpoints', async () => {
    const all = await json<ServicesDoc>('ls', '--rev', String(rev))
    expect(all.services).toMatchObject([{ service: 'hello', endpoints: 2, weight: 4 }])
    const selected = await json<SelectedDoc>('ls', '-l', 'weight=3', '--rev', String(rev))
    expect(selected.services.map(({ endpoints }) => endpoints.map(({ addr }) => addr))).toEqual([[B]])
    const lines = await tool.run('ls', 'hello', B, '--rev', String(rev), '-o', 'ndjson')
    expect(JSON.parse(lines.stdout)).toMatchObject({ rev: String(rev), addr: B })
  })

  test('exits 4 for a service that did not exist at that revision', async () => {
    const ran = await tool.run('ls', 'pay', '--rev', String(rev))
    expect(ran).toMatchObject({ code: 4, stdout: '' })
    expect(ran.stderr).toContain(`(rev ${rev})`)
  })

  test.each([
    ['--probe', ['--probe']],
    ['--ttl', ['--ttl']],
  ])('refuses %s, which is about the present', async (name, args) => {
    const ran = await tool.run('ls', 'hello', '--rev', String(rev), ...args)
    expect(ran.code).toBe(2)
    expect(ran.stderr).toBe(`✗ ${name} has no effect with --rev, which looks at the past\n`)
  })
})

describe('resolve --rev', () => {
  test('resolves a target at a past revision', async () => {
    const doc = await json<ResolveDoc>('resolve', 'hello', '--rev', String(rev))
    expect(doc).toMatchObject({
      rev: String(rev),
      source: 'etcd',
      endpoints: [
        { addresses: [A], weight: 1 },
        { addresses: [B], weight: 3 },
      ],
    })
    const uri = await json<ResolveDoc>('resolve', 'etcd://2.0.0/hello', '--rev', String(rev))
    expect(uri.endpoints).toMatchObject([{ addresses: [B] }])
    const selected = await json<ResolveDoc>('resolve', 'hello', '-l', 'version=1.0.0', '--rev', String(rev))
    expect(selected.endpoints).toMatchObject([{ addresses: [A], weight: 1 }])
  })

  test('is refused for a target without a registry', async () => {
    const ran = await tool.run('resolve', 'dns:///localhost:1001', '--rev', '1')
    expect(ran.code).toBe(2)
    expect(ran.stderr).toContain('✗ --rev has no effect on dns:///localhost:1001')
  })
})

describe('at an unavailable revision', () => {
  test.each([['ls'], ['resolve']])('%s exits 3 and names the available revisions', async (command) => {
    await etcd.ctl('compact', String(rev))
    const newest = before + 5
    const gone = await tool.run(command, 'hello', '--rev', String(rev - 1))
    expect(gone).toEqual({
      code: 3,
      stdout: '',
      stderr: `✗ etcd no longer has revision ${rev - 1}: it was compacted\n  Usable: revisions ${rev} to ${newest}\n`,
    })
    const future = await tool.run(command, 'hello', '--rev', String(newest + 1), '--json')
    expect(future.code).toBe(3)
    expect(JSON.parse(future.stdout)).toMatchObject({
      error: {
        code: 'REVISION_UNAVAILABLE',
        message: `etcd has not reached revision ${newest + 1}: it is at ${newest}`,
      },
    })
    expect(await tool.run(command, 'hello', '--rev', String(rev))).toMatchObject({ code: 0 })
  })
})
