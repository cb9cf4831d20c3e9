import { beforeEach, describe, expect, test } from 'vitest'
import type { CallDoc } from '../../src/cli/call/document.js'
import type { EndpointsDoc, SelectedDoc } from '../../src/cli/endpoints/document.js'
import type { ResolveDoc } from '../../src/cli/resolve/document.js'
import { startGreeter } from '../../src/dev/greeter.js'
import { Disco } from '../support/disco.js'
import { registration } from '../support/etcd-state.js'
import { freePorts } from '../support/ports.js'
import { expectShape } from '../support/shape.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()

const BIG = '18446744073709551615'

beforeEach(async () => {
  const put = (addr: string, version: string, weight: number, metadata: object) =>
    etcd.ctl('put', ...registration('hello', addr, { version, weight, metadata }))
  await put('10.0.0.1:1001', '1.0.0', 1, { zone: 'a', weight: 'heavy' })
  await put('10.0.0.1:1002', '1.2.0', 3, { zone: 'b' })
  await put('10.0.0.2:1001', '2.0.0', 4, { zone: 'b' })
  await put('10.0.0.2:1002', '2.0.0', 0, { zone: 'c' })
})

/** The JSON document of a successful command. */
async function json<Doc>(...args: string[]): Promise<Doc> {
  const ran = await tool.run(...args, '--json')
  expect(ran.code, ran.stdout).toBe(0)
  return JSON.parse(ran.stdout) as Doc
}

async function addresses(...args: string[]): Promise<string[]> {
  return (await json<EndpointsDoc>('ls', ...args)).endpoints.map(({ addr }) => addr)
}

describe('a selection', () => {
  test.each([
    [
      ['hello', '-l', 'version=2.0.0'],
      ['10.0.0.2:1001', '10.0.0.2:1002'],
    ],
    [
      ['hello', '-l', 'zone!=b'],
      ['10.0.0.1:1001', '10.0.0.2:1002'],
    ],
    [
      ['hello', '-l', 'zone in (a,c)'],
      ['10.0.0.1:1001', '10.0.0.2:1002'],
    ],
    [['hello', '-l', 'zone notin (a,c),weight>3'], ['10.0.0.2:1001']],
    [['hello', '-l', 'version^1.1'], ['10.0.0.1:1002']],
    [['hello', '-l', 'version<2', '-l', 'zone=a'], ['10.0.0.1:1001']],
    [['hello', '-l', 'metadata.weight=heavy'], ['10.0.0.1:1001']],
    [
      ['hello', '--host', '10.0.0.2'],
      ['10.0.0.2:1001', '10.0.0.2:1002'],
    ],
    [
      ['hello', '10.0.0.2:1002', '10.0.0.1:1001'],
      ['10.0.0.1:1001', '10.0.0.2:1002'],
    ],
    [['etcd://2.0.0/hello', '-l', 'weight>0'], ['10.0.0.2:1001']],
    [['etcd:///hello?zone=b&version=2.0.0'], ['10.0.0.2:1001']],
    [['etcd:///hello?select=weight%3E2'], ['10.0.0.1:1002', '10.0.0.2:1001']],
    [['etcd:///hello?weight=heavy'], ['10.0.0.1:1001']],
  ])('is applied by ls %j', async (args, expected) => {
    expect(await addresses(...args)).toEqual(expected)
  })

  test('keeps the shares of the whole service', async () => {
    const { endpoints } = await json<EndpointsDoc>('ls', 'hello', '-l', 'version=2.0.0')
    expect(endpoints.map(({ share }) => share)).toEqual([0.5, 0])
  })

  test('compares numbers in the metadata exactly, whatever their size', async () => {
    const value = (metadata: string) => `{"Op":0,"Addr":"10.0.0.9:1","Metadata":{"shard":${metadata}}}`
    await etcd.ctl('put', 'big/one/10.0.0.9:1', value(BIG))
    const listed = (id: string) => tool.run('ls', 'big/one', '-l', `shard=${id}`)
    expect((await listed(BIG)).code).toBe(0)
    expect((await listed('18446744073709551616')).code).toBe(4)
    expect((await listed('18446744073709551614')).code).toBe(4)
  })

  test('without a service lists endpoints of all services', async () => {
    await etcd.ctl('put', ...registration('payments', '10.0.0.2:2001', { weight: 1 }))
    const doc = await json<SelectedDoc>('ls', '--host', '10.0.0.2')
    expectShape('selected', doc)
    const found = doc.services.map(({ service, endpoints }) => [service, endpoints.map(({ addr }) => addr)])
    expect(found).toEqual([
      ['hello', ['10.0.0.2:1001', '10.0.0.2:1002']],
      ['payments', ['10.0.0.2:2001']],
    ])
    const table = await tool.run('ls', '-l', 'zone=c')
    expect(table.stdout).toMatch(/SERVICE +ADDRESS[^\n]*\n◐ +hello +10\.0\.0\.2:1002/)
  })

  test.each([
    [['ls', 'hello', '-l', 'zone=q']],
    [['health', 'hello', '-l', 'zone=q']],
    [['resolve', 'hello', '-l', 'zone=q']],
    [['pick', 'hello', '-l', 'zone=q']],
    [['call', 'hello', 'SayHello', '-l', 'zone=q']],
    [['ls', '--host', '10.9.9.9']],
  ])('without a match makes %j exit 4 with the available values', async (args) => {
    const ran = await tool.run(...args)
    expect(ran.code).toBe(4)
    expect(ran.stderr).toMatch(
      /^✗ No endpoint of (hello|any service) is selected by (-l zone=q|--host 10\.9\.9\.9)\n/,
    )
    expect(ran.stderr).toMatch(/\n {2}(zone: a, b, c|host: 10\.0\.0\.1, 10\.0\.0\.2)\n/)
  })

  test('of a known and an unknown address is an error', async () => {
    const ran = await tool.run('ls', 'hello', '10.0.0.1:1001', '10.0.0.1:9')
    expect({ code: ran.code, first: ran.stderr.split('\n')[0] }).toEqual({
      code: 4,
      first: '✗ No endpoint of hello is 10.0.0.1:9',
    })
  })

  test.each([
    [['ls', 'hello', '-l', 'zone>1'], '--selector "zone>1"'],
    [['call', 'hello', 'SayHello', '-l', 'a b'], '--selector "a b"'],
    [['wait', 'hello', '--for', 'endpoints>0', '-l', ''], '--selector ""'],
    [['watch', 'hello', '-l', 'version~x'], '--selector "version~x"'],
    [['ls', 'hello', '--host', '10.0.0.1:1001'], '--host "10.0.0.1:1001"'],
  ])('that is invalid makes %j fail with the name of the flag', async (args, named) => {
    const ran = await tool.run(...args)
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining(`✗ Invalid ${named}`) as string,
    })
  })

  test('limits the endpoints that wait counts, and is shown', async () => {
    const ran = await tool.run(
      'wait',
      'hello',
      '-l',
      'version=2.0.0',
      '--for',
      'endpoints==2',
      '--timeout',
      '0',
    )
    expect(ran.code).toBe(0)
    expect(ran.stdout).toMatch(/^✓ hello -l version=2\.0\.0: endpoints==2 /)
    const missed = await tool.run('wait', 'etcd://1.0.0/hello', '--for', 'endpoints==2', '--timeout', '0')
    expect({ code: missed.code, stderr: missed.stderr }).toEqual({
      code: 5,
      stderr: expect.stringContaining(
        '✗ hello -l version=1.0.0 does not meet endpoints==2: endpoints 1',
      ) as string,
    })
  })

  test('limits the joins, leaves and changes that watch shows, with shares of the whole service', async () => {
    const watch = disco.start('watch', 'hello', '-l', 'weight>2')
    await watch.printed('"type":"synced"')
    const put = (addr: string, version: string, weight: number) =>
      etcd.ctl('put', ...registration('hello', addr, { version, weight, metadata: { zone: 'b' } }))
    await put('10.0.0.3:1', '1.0.0', 1)
    await put('10.0.0.3:2', '1.0.0', 8)
    await put('10.0.0.3:2', '1.0.0', 2)
    await put('10.0.0.3:2', '1.0.0', 1)
    await put('10.0.0.3:3', '1.0.0', 9)
    await watch.printed('10.0.0.3:3')
    const events = watch.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(events).toMatchObject([
      { type: 'synced', endpoints: 2, weight: 7 },
      { type: 'added', addr: '10.0.0.3:2', share: 0.4706 },
      { type: 'weight', addr: '10.0.0.3:2', from: 8, to: 2, share: { from: 0.4706, to: 0.1818 } },
      { type: 'added', addr: '10.0.0.3:3' },
    ])
  })

  test('has the same effect in resolve and pick as in a program with the same target', async () => {
    const resolved = await json<ResolveDoc>('resolve', 'etcd:///hello?zone=b', '-l', 'weight>3')
    expect(resolved.target).toBe('etcd:///hello?select=zone%3Db%2Cweight%3E3')
    expect(resolved.endpoints.map(({ addresses }) => addresses)).toEqual([['10.0.0.2:1001']])
    const same = await json<ResolveDoc>('resolve', resolved.target)
    expect(same.endpoints).toEqual(resolved.endpoints)
    const picked = await json<{ endpoints: { addr: string; picks: number }[] }>(
      'pick',
      'hello',
      '-l',
      'zone in (a,b)',
      '--n',
      '80',
    )
    expect(picked.endpoints.map(({ addr, picks }) => [addr, picks])).toEqual([
      ['10.0.0.1:1001', 10],
      ['10.0.0.1:1002', 30],
      ['10.0.0.2:1001', 40],
    ])
  })

  test('limits the endpoints that a run of calls expects', async () => {
    const [greeter, other] = [await startGreeter({ port: 0 }), await startGreeter({ port: 0 })]
    try {
      await etcd.ctl('put', ...registration('greet', greeter.addr, { version: '2', weight: 1 }))
      await etcd.ctl('put', ...registration('greet', other.addr, { version: '2', weight: 3 }))
      const [dead] = await freePorts(1)
      await etcd.ctl('put', ...registration('greet', `127.0.0.1:${dead}`, { version: '1', weight: 90 }))
      const doc = await json<CallDoc>('call', 'greet', 'SayHello', '--n', '40', '-l', 'version=2', '--strict')
      expect(doc).toMatchObject({ selector: 'version=2', ok: 40, unserved: [], verdict: { result: 'pass' } })
      expect(doc.ready).toMatchObject({ endpoints: 2, of: 2, registered: 2 })
      expect(doc.endpoints.map(({ addr, expected }) => [addr, expected])).toEqual([
        [other.addr, 30],
        [greeter.addr, 10],
      ])
    } finally {
      greeter.stop()
      other.stop()
    }
  })
})

describe('a URI is read in the default layout, like in a program, unless it names another one:', () => {
  test.each([['ls'], ['resolve'], ['pick']])('%s', async (command) => {
    await etcd.ctl('put', 'team/one/10.0.0.9:1', '{"Op":0,"Addr":"10.0.0.9:1","Metadata":null}')
    expect((await tool.run(command, 'team/one')).code).toBe(0)
    expect((await tool.run(command, 'etcd:///team%2Fone')).code).toBe(4)
    expect((await tool.run(command, 'etcd:///team%2Fone?layout=etcd')).code).toBe(0)
    expect((await tool.run(command, 'etcd:///team%2Fone', '--layout', 'etcd')).code).toBe(0)
  })
})

describe('a target without a registry needs no etcd', () => {
  test.each([
    ['host:port', (port: string) => `127.0.0.1:${port}`],
    ['dns', (port: string) => `dns:///127.0.0.1:${port}`],
    ['ipv4', (port: string) => `ipv4:127.0.0.1:${port}`],
  ])('%s: call, health, resolve and pick work', async (_, target) => {
    const greeter = await startGreeter({ port: 0 })
    const [away] = await freePorts(1)
    // No etcd listens at this address, so a command that needs etcd would fail.
    const alone = new Disco(`127.0.0.1:${away}`)
    try {
      const text = target(greeter.addr.split(':')[1] ?? '')
      const run = await alone.run('call', text, 'SayHello', '--n', '6', '--json')
      expect(run.code, run.stderr).toBe(0)
      const doc = JSON.parse(run.stdout) as CallDoc
      expect(doc).toMatchObject({ service: text, rev: null, ok: 6, verdict: { result: 'pass' } })
      expect(doc.endpoints).toMatchObject([{ addr: greeter.addr, weight: 1, picks: 6 }])
      const health = await alone.run('health', text, '--json')
      expect(JSON.parse(health.stdout)).toMatchObject({ rev: null, healthy: 1 })
      expect((await alone.run('resolve', text, '-o', 'name')).stdout).toBe(`${greeter.addr}\n`)
      expect((await alone.run('pick', text, '--n', '5')).stdout).toContain(greeter.addr)
    } finally {
      greeter.stop()
      await alone.stopAll()
    }
  })

  test('call shares calls equally among several addresses, and names a dead one', async () => {
    const [one, two] = [await startGreeter({ port: 0 }), await startGreeter({ port: 0 })]
    const [dead] = await freePorts(1)
    try {
      const target = `ipv4:${one.addr},${two.addr},127.0.0.1:${dead}`
      const ran = await tool.run('call', target, 'SayHello', '--n', '20', '--policy', 'round_robin')
      expect(ran.code, ran.stdout).toBe(0)
      expect(ran.stdout).toContain('2 of 3 ready, 1 refused')
      expect(ran.stdout).toContain('PASS, but 33.3% of the weight is unserved')
    } finally {
      one.stop()
      two.stop()
    }
  })

  test.each([
    [['call', '127.0.0.1:9', 'M', '-l', 'zone=a'], '--selector has no effect on 127.0.0.1:9'],
    [['call', 'dns:///localhost:9', 'M', '--layout', 'etcd'], '--layout has no effect on dns:///localhost:9'],
    [['health', 'ipv4:127.0.0.1:9', '--host', 'x'], '--host has no effect on ipv4:127.0.0.1:9'],
    [
      ['health', 'ipv4:127.0.0.1:9', '127.0.0.1:8'],
      '127.0.0.1:8 cannot select endpoints of ipv4:127.0.0.1:9',
    ],
    [['resolve', 'unix:/x', '--endpoints', '127.0.0.1:9'], '--endpoints has no effect on unix:/x'],
    [['ls', 'dns:///localhost:9'], '"dns:///localhost:9" is a target without a registry'],
    [['wait', 'unix:/x', '--for', 'endpoints>0'], '"unix:/x" is a target without a registry'],
  ])('%j fails with the reason', async (args, message) => {
    const ran = await tool.run(...args)
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining(`✗ ${message}`) as string,
    })
  })

  test('a name that cannot be resolved is NOT_FOUND', async () => {
    const ran = await tool.run('call', 'dns:///nosuch.invalid:1', 'M')
    expect(ran.code).toBe(4)
    expect(ran.stderr).toContain('✗ dns:///nosuch.invalid:1 cannot be resolved: ')
  })
})
