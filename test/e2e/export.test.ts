import { describe, expect, test } from 'vitest'
import type { RegistryFileDoc } from '../../src/domain/registry-file.js'
import { grantLease, putAll, revision } from '../support/etcd-state.js'
import { expectShape } from '../support/shape.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, tool } = await toolOnEtcd()

async function exported(...args: string[]): Promise<RegistryFileDoc> {
  const { stdout } = await tool.run('export', '--json', ...args)
  return JSON.parse(stdout) as RegistryFileDoc
}

describe('disco export', () => {
  test('writes a service as YAML with lease and granted TTL, and prints the count on standard error', async () => {
    const lease = await grantLease(etcd, 60)
    await etcd.ctl(
      'put',
      '/hello/1.0.0/10.0.0.1:1',
      '{"name":"hello","addr":"10.0.0.1:1","version":"1.0.0","weight":3}',
      `--lease=${lease}`,
    )
    await putAll(etcd, 'other', [{ addr: '10.0.0.9:1' }])
    const rev = await revision(etcd)
    expect(await tool.run('export', 'hello')).toEqual({
      code: 0,
      stdout: [
        'schema: disco.registry/v1',
        `rev: "${rev}"`,
        'root: ""',
        'selection: null',
        'endpoints:',
        '  - service: hello',
        '    addr: "10.0.0.1:1"',
        '    version: "1.0.0"',
        '    weight: 3',
        '    metadata: {}',
        '    layout: seed',
        '    key: /hello/1.0.0/10.0.0.1:1',
        '    leased: true',
        '    grantedTtlSeconds: 60',
        '',
      ].join('\n'),
      stderr: '1 endpoint\n',
    })
  })

  test('writes all services, several services, or the selected endpoints with their selection as JSON', async () => {
    await putAll(etcd, 'hello', [
      { addr: '10.0.0.1:1', version: '1' },
      { addr: '10.0.0.2:1', version: '2' },
    ])
    await putAll(etcd, 'pay', [{ addr: '10.0.0.1:2' }])
    await etcd.ctl(
      'put',
      '/micro/registry/a/n',
      '{"name":"a","version":"","metadata":null,"endpoints":null,"nodes":[{"metadata":{},"id":"n","address":"10.0.0.3:1"}]}',
    )
    await etcd.ctl(
      'put',
      '/ego/b/providers/grpc://10.0.0.4:1',
      '{"name":"b","scheme":"grpc","address":"10.0.0.4:1","enable":false}',
    )
    await etcd.ctl(
      'put',
      'kitex/registry-etcd/c/10.0.0.5:1',
      '{"network":"tcp","address":"10.0.0.5:1","weight":1,"tags":{"x":"\\u00e9"}}',
    )
    const addrs = ({ endpoints }: RegistryFileDoc) => endpoints.map(({ addr }) => addr)
    const all = await exported()
    expect(addrs(all).sort()).toEqual([
      '10.0.0.1:1',
      '10.0.0.1:2',
      '10.0.0.2:1',
      '10.0.0.3:1',
      '10.0.0.4:1',
      '10.0.0.5:1',
    ])
    expect(addrs(await exported('hello', 'pay'))).toEqual(['10.0.0.1:1', '10.0.0.2:1', '10.0.0.1:2'])
    const selected = await exported('hello', '-l', 'version=2')
    expect(selected).toMatchObject({ selection: 'hello -l version=2', endpoints: [{ addr: '10.0.0.2:1' }] })
    expect(addrs(await exported('--host', '10.0.0.1'))).toEqual(['10.0.0.1:1', '10.0.0.1:2'])
    expect(addrs(await exported('etcd://2/hello'))).toEqual(['10.0.0.2:1'])
    const seen = { ...all, selection: selected.selection }
    expectShape('registry', all, seen)
  })

  test('names and omits unreadable values, and escapes control characters', async () => {
    await etcd.ctl('put', '/hello/10.0.0.1:1', 'broken')
    await etcd.ctl(
      'put',
      '/hello/10.0.0.2:1',
      '{"name":"hello","addr":"10.0.0.2:1","metadata":{"a":"\\u001b[31m\\u202e"}}',
    )
    const { code, stdout, stderr } = await tool.run('export', 'hello')
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: '! 1 unreadable value left out: /hello/10.0.0.1:1\n1 endpoint\n',
    })
    expect(stdout).toContain('a: "\\u001b[31m\\u202e"')
    expect(stdout.match(/ addr: /g)).toHaveLength(1)
  })

  test.each([
    [['helo'], 4, 'Did you mean hello?'],
    [['hello', '-l', 'version=9'], 4, 'version: (none)'],
    [['hello', '-o', 'table'], 2, 'Invalid --output "table": expected yaml or json'],
    [['etcd:///hello?root=/x', 'hello'], 2, 'A file has one root'],
  ])('%j is refused', async (args, code, message) => {
    await putAll(etcd, 'hello', [{ addr: '10.0.0.1:1' }])
    const ran = await tool.run('export', ...args)
    expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(message) as string })
  })

  test('fails on an empty registry, because there is nothing to export', async () => {
    const ran = await tool.run('export')
    expect(ran).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringContaining('no endpoint to export') as string,
    })
  })
})
