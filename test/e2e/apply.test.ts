import { readFile, writeFile } from 'node:fs/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { ApplyDoc } from '../../src/cli/apply/document.js'
import { grantLease, putAll, revision, storedText, storedWeight } from '../support/etcd-state.js'
import { expectShape } from '../support/shape.js'
import { temporaryFile } from '../support/temporary-file.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, tool } = await toolOnEtcd()

interface Entry {
  readonly addr: string
  readonly weight?: number
  readonly [field: string]: unknown
}

const files: AsyncDisposable[] = []
afterEach(async () => {
  for (const file of files.splice(0)) await file[Symbol.asyncDispose]()
})

/** A file with endpoints of one service. An endpoint has a lease only if `leased` is set. */
async function fileOf(entries: readonly Entry[], service = 'hello', head: object = {}): Promise<string> {
  const endpoints = entries.map((entry) => ({ service, leased: false, ...entry }))
  const text = JSON.stringify({ schema: 'disco.registry/v1', ...head, endpoints })
  const file = await temporaryFile('registry.json', text)
  files.push(file)
  return file.path
}

async function applied(...args: string[]): Promise<ApplyDoc> {
  const { stdout, stderr } = await tool.run('apply', '--json', ...args)
  expect(stderr).toBe('')
  return JSON.parse(stdout) as ApplyDoc
}

describe('disco apply', () => {
  test('adds, changes and, with --prune, removes endpoints; a second apply has nothing to do', async () => {
    await putAll(etcd, 'hello', [
      { addr: '10.0.0.2:1', weight: 3 },
      { addr: '10.0.0.3:1' },
      { addr: '10.0.0.4:1' },
    ])
    await putAll(etcd, 'hello2', [{ addr: '10.0.0.9:1' }])
    const file = await fileOf([
      { addr: '10.0.0.1:1', version: '1.0.0' },
      { addr: '10.0.0.2:1', weight: 5 },
      { addr: '10.0.0.4:1' },
    ])
    const rev = await revision(etcd)
    const plan = [
      '+ hello 10.0.0.1:1 (1.0.0)  weight 1',
      '~ hello 10.0.0.2:1  weight 3 → 5',
      '- hello 10.0.0.3:1  weight 1',
      `${file}: 1 to add, 1 to change, 1 to remove, 1 as in the file (rev ${rev})`,
    ]
    const dry = await tool.run('apply', '-f', file, '--prune', '--dry-run')
    expect(dry).toEqual({ code: 0, stdout: [...plan, ''].join('\n'), stderr: '' })
    expect(await revision(etcd)).toBe(rev)
    const ran = await tool.run('apply', '-f', file, '--prune', '--yes')
    const done = `✓ 1 added, 1 changed, 1 removed (rev ${rev + 1})`
    expect(ran).toEqual({ code: 0, stdout: [...plan, done, ''].join('\n'), stderr: '' })
    expect(await storedWeight(etcd, '/hello/10.0.0.2:1')).toBe(5)
    expect(await storedText(etcd, '/hello/10.0.0.3:1')).toBe('')
    expect(await storedText(etcd, '/hello2/10.0.0.9:1')).not.toBe('')
    const again = await tool.run('apply', '-f', file, '--prune', '--yes')
    expect(again).toEqual({
      code: 0,
      stdout: `${file}: 3 keys as in the file (rev ${rev + 1})\n`,
      stderr: '',
    })
    expect(await revision(etcd)).toBe(rev + 1)
  })

  test('keeps the lease, unknown fields and trailing bytes of a key that it changes', async () => {
    const lease = await grantLease(etcd, 60)
    const value = '{"name":"hello","addr":"10.0.0.1:1","zone":"b","version":"","weight":1} \n'
    await etcd.ctl('put', '/hello/10.0.0.1:1', value, `--lease=${lease}`)
    await applied('-f', await fileOf([{ addr: '10.0.0.1:1', weight: 7 }]), '--yes')
    expect(await etcd.ctl('get', '/hello/10.0.0.1:1', '--print-value-only')).toBe(
      `${value.replace('1} ', '7} ')}\n`,
    )
    expect(await etcd.ctl('lease', 'timetolive', lease, '--keys')).toContain('/hello/10.0.0.1:1')
    const other = await fileOf([{ addr: '10.0.0.1:1', weight: 7, metadata: { a: 'b' } }])
    expect(await tool.run('apply', '-f', other, '--yes')).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('has more than the file states, and would be replaced') as string,
    })
  })

  test('keeps the fields that an entry omits', async () => {
    const value = '{"name":"hello","addr":"10.0.0.1:1","version":"","weight":7,"metadata":{"a":"b"}}'
    await etcd.ctl('put', '/hello/10.0.0.1:1', value)
    const bare = await fileOf([{ addr: '10.0.0.1:1' }])
    expect(await applied('-f', bare, '--yes')).toMatchObject({ changes: [], same: 1 })
    const weight = await fileOf([{ addr: '10.0.0.1:1', weight: 2 }])
    const change = { weight: { from: 7, to: 2 }, otherFields: false }
    expect(await applied('-f', weight, '--yes')).toMatchObject({ changes: [change] })
    const metadata = await fileOf([{ addr: '10.0.0.1:1', metadata: { a: 'c' } }])
    expect(await applied('-f', metadata, '--yes')).toMatchObject({ changes: [{ otherFields: true }] })
    expect(await storedText(etcd, '/hello/10.0.0.1:1')).toBe(value.replace('7', '2').replace('"b"', '"c"'))
  })

  test('adds a leased endpoint with --ttl, otherwise refuses and names the endpoint', async () => {
    const file = await fileOf([{ addr: '10.0.0.1:1', leased: true }])
    const refused = await tool.run('apply', '-f', file, '--yes')
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toContain('would never expire without one: hello 10.0.0.1:1')
    expect(refused.stderr).toContain('--ttl 60')
    expect(refused.stderr).toContain('--hold')
    expect(await storedText(etcd, '/hello/10.0.0.1:1')).toBe('')
    await applied('-f', file, '--ttl', '60', '--yes')
    const { stdout } = await tool.run('ls', 'hello', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ endpoints: [{ addr: '10.0.0.1:1', grantedTtlSeconds: 60 }] })
  })

  test('shows in the plan if a value of the file replaces more than the weight', async () => {
    const key = '/hello/10.0.0.1:1'
    await etcd.ctl('put', key, '{"name":"hello","addr":"10.0.0.1:1","weight":3}')
    const { stdout } = await tool.run('export', 'hello')
    const exported = await temporaryFile('exported.yaml', stdout)
    files.push(exported)
    await etcd.ctl('put', key, '{"name":"hello","addr":"10.0.0.1:1","weight":30,"extra":{"x":1}}')
    const file = exported.path
    const change = { weight: { from: 30, to: 3 }, otherFields: true }
    expect(await applied('-f', file, '--dry-run')).toMatchObject({ changes: [change] })
    await etcd.ctl('put', key, '{"name":"hello","addr":"10.0.0.1:1","weight":30}')
    expect(await applied('-f', file, '--dry-run')).toMatchObject({
      changes: [{ ...change, otherFields: false }],
    })
  })

  test('asks for confirmation with --hold even if only leases change', async () => {
    const file = await fileOf([{ addr: '10.0.0.1:1', leased: true }])
    await applied('-f', file, '--ttl', '60', '--yes')
    const held = await tool.run('apply', '-f', file, '--hold')
    expect(held).toMatchObject({ code: 2 })
    expect(held.stderr).toContain('Not done without --yes: hold 1 endpoint')
  })

  test('does not prune unreadable keys, nor keys with a live lease unless --force is given', async () => {
    const lease = await grantLease(etcd, 60)
    const value = '{"name":"hello","addr":"10.0.0.2:1","version":"","weight":1}'
    await etcd.ctl('put', '/hello/10.0.0.2:1', value, `--lease=${lease}`)
    await etcd.ctl('put', '/hello/10.0.0.3:1', 'broken')
    await etcd.ctl(
      'put',
      '/hello/10.0.0.4:1',
      '{"network":"tcp","address":"10.0.0.4:1","weight":1,"tags":null}',
    )
    const file = await fileOf([{ addr: '10.0.0.1:1' }])
    const { left, changes } = await applied('-f', file, '--prune', '--yes')
    expect(left).toEqual([
      { key: '/hello/10.0.0.2:1', service: 'hello', addr: '10.0.0.2:1', reason: 'leased' },
      { key: '/hello/10.0.0.3:1', service: 'hello', addr: '10.0.0.3:1', reason: 'unreadable' },
    ])
    expect(changes).toMatchObject([{ op: 'add' }])
    const forced = await applied('-f', file, '--prune', '--force', '--yes')
    expect(forced.changes).toMatchObject([{ op: 'remove', addrs: ['10.0.0.2:1'] }])
    expect(await storedText(etcd, '/hello/10.0.0.4:1')).not.toBe('')
  })

  test('refuses to turn the weights of a service on or off without --force', async () => {
    await putAll(etcd, 'hello', [
      { addr: '10.0.0.1:1', weight: 0 },
      { addr: '10.0.0.2:1', weight: 0 },
    ])
    const on = await tool.run('apply', '-f', await fileOf([{ addr: '10.0.0.1:1', weight: 5 }]), '--yes')
    expect(on).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('would drain the other 1') as string,
    })
    await putAll(etcd, 'pay', [{ addr: '10.0.0.1:1', weight: 5 }])
    const file = await fileOf([{ addr: '10.0.0.1:1', weight: 0 }], 'pay')
    expect(await tool.run('apply', '-f', file, '--yes')).toMatchObject({ code: 6 })
    expect((await applied('-f', file, '--yes', '--force')).end).toBe('done')
  })

  test('refuses to prune by a file of selected endpoints', async () => {
    const file = await fileOf([{ addr: '10.0.0.1:1' }], 'hello', { selection: 'hello -l version=1' })
    const ran = await tool.run('apply', '-f', file, '--prune', '--yes')
    expect(ran).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--prune would remove the rest') as string,
    })
  })

  test('writes another layout without loss or refuses, and keeps ids between runs', async () => {
    const file = await fileOf([{ addr: '10.0.0.1:1', version: '1.0.0', weight: 3, metadata: { zone: 'b' } }])
    const { changes } = await applied('-f', file, '--layout', 'kratos', '--yes')
    expect(changes).toMatchObject([{ op: 'add', layout: 'kratos', weight: { to: 3 }, version: '1.0.0' }])
    expect(await applied('-f', file, '--layout', 'kratos', '--yes')).toMatchObject({ changes: [], same: 1 })
    for (const [layout, message] of [
      ['kitex', 'The layout kitex has no place for a version'],
      ['etcd', 'The layout etcd has no place for a version'],
    ]) {
      const ran = await tool.run('apply', '-f', file, '--layout', layout ?? '', '--yes')
      expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining(message ?? '') as string })
    }
  })

  test('prints the documented JSON', async () => {
    await putAll(etcd, 'hello', [{ addr: '10.0.0.2:1', weight: 3 }, { addr: '10.0.0.3:1' }])
    const lease = await grantLease(etcd, 60)
    await etcd.ctl('put', '/hello/10.0.0.4:1', '{"name":"hello","addr":"10.0.0.4:1"}', `--lease=${lease}`)
    const file = await fileOf([
      { addr: '10.0.0.1:1', leased: true },
      { addr: '10.0.0.2:1', weight: 5 },
      { addr: '10.0.0.5:1', layout: 'go-kit' },
    ])
    const dry = await applied('-f', file, '--prune', '--dry-run', '--ttl', '60')
    expectShape('apply', dry, await applied('-f', file, '--prune', '--yes', '--ttl', '60'))
  })

  test.each([
    [['-f', '/nonexistent'], 'Cannot read /nonexistent'],
    [['-f', '/'], 'Cannot read /'],
    [[], 'disco apply needs --file'],
    [['-f', 'FILE', '--layout', 'auto'], 'auto is for reading'],
    [['-f', 'FILE', '--hold', '--json'], '--hold prints events'],
    [['-f', 'FILE'], 'Not done without --yes: apply'],
  ])('%j is refused, and nothing is written', async (args, message) => {
    const before = await revision(etcd)
    const file = await fileOf([{ addr: '10.0.0.1:1' }])
    const ran = await tool.run('apply', ...args.map((arg) => (arg === 'FILE' ? file : arg)))
    expect(ran.code).toBe(2)
    expect(ran.stderr + ran.stdout).toContain(message)
    expect(await revision(etcd)).toBe(before)
  })

  test('names UTF-16, which some shells write, and ignores a byte order mark', async () => {
    const file = await fileOf([{ addr: '10.0.0.1:1' }])
    const text = await readFile(file, 'utf8')
    await writeFile(file, Buffer.from(`\ufeff${text}`, 'utf16le'))
    expect((await tool.run('apply', '-f', file)).stderr).toContain('is not UTF-8 text')
    await writeFile(file, `\ufeff${text}`)
    expect((await applied('-f', file, '--yes')).end).toBe('done')
  })
})
