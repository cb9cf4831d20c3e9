import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startGreeter } from '../../src/dev/greeter.js'
import { Disco, type Ran } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { registration, wipe } from '../support/etcd-state.js'
import { freePorts } from '../support/ports.js'

const [dc1, dc2] = await Promise.all([RealEtcd.start(), RealEtcd.start()])
const [local, remote] = await Promise.all([startGreeter({ port: 0 }), startGreeter({ port: 0 })])
afterAll(async () => {
  for (const greeter of [local, remote]) greeter.stop()
  await Promise.all([dc1.stop(), dc2.stop()])
})

let folder: string
let disco: Disco
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'disco-centres-'))
  mkdirSync(join(folder, 'disco'))
})
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 5 }))

beforeEach(async () => {
  contexts({ dc1: dc1.endpoint, dc2: dc2.endpoint, away: '127.0.0.1:1' })
  disco = new Disco('', { XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') })
  await dc1.ctl('put', ...registration('hello', local.addr, { weight: 1 }))
  await dc2.ctl('put', ...registration('hello', remote.addr, { weight: 5 }))
})
afterEach(async () => {
  await disco.stopAll()
  await Promise.all([wipe(dc1), wipe(dc2)])
})

function contexts(endpoints: Readonly<Record<string, string>>): void {
  const entries = Object.entries(endpoints).map(([name, at]) => `  ${name}: { endpoints: "${at}" }\n`)
  writeFileSync(join(folder, 'disco/config.yaml'), `contexts:\n${entries.join('')}`, { mode: 0o600 })
}

const json = ({ stdout }: Ran) => JSON.parse(stdout)

describe('-C dc1,dc2', () => {
  it('lists the endpoints of both registries, each with the name of its registry', async () => {
    const listed = await disco.run('ls', 'hello', '-C', 'dc1,dc2', '--json')
    expect(listed.code).toBe(0)
    const doc = json(listed)
    expect(doc.registries.map(({ registry, problem }: Row) => [registry, problem])).toEqual([
      ['dc1', null],
      ['dc2', null],
    ])
    expect(doc.endpoints.map(({ registry, addr, share }: Row) => [registry, addr, share])).toEqual([
      ['dc1', local.addr, 1],
      ['dc2', remote.addr, 1],
    ])
    const table = await disco.run('ls', 'hello', '-C', 'dc1,dc2')
    expect(table.stdout).toMatch(/REGISTRY.*\n.*dc1.*\n.*dc2/)
    const services = json(await disco.run('ls', '-C', 'dc1,dc2', '--json')).services
    expect(services.map(({ registry, service }: Row) => [registry, service])).toEqual([
      ['dc1', 'hello'],
      ['dc2', 'hello'],
    ])
    expect(json(await disco.run('ls', 'hello', '-C', 'dc1', '--json')).endpoints[0].registry).toBeUndefined()
  })

  it('lists the reachable registries if one is unavailable, and exits 3', async () => {
    const listed = await disco.run('ls', 'hello', '-C', 'dc1,away', '--json')
    expect(listed.code).toBe(3)
    expect(json(listed).endpoints.map(({ registry }: Row) => registry)).toEqual(['dc1'])
    expect(listed.stderr).toMatch(/away is left out: etcd is not reachable/)
    const none = await disco.run('ls', 'hello', '-C', 'away,away2')
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('No context "away2"')])
  })

  it('reports a service that exists in no registry with the errors in the order of -C', async () => {
    for (const [first, second] of [
      ['dc1', 'dc2'],
      ['dc2', 'dc1'],
    ]) {
      const absent = await disco.run('ls', 'helo', '-C', `${first},${second}`)
      expect([absent.code, absent.stderr]).toEqual([
        4,
        expect.stringMatching(`${first}: No service "helo" .*; ${second}: No service "helo"`),
      ])
    }
  })

  it('resolves, calls and computes shares as a program does', async () => {
    const resolved = json(await disco.run('resolve', 'hello', '-C', 'dc1,dc2', '--json'))
    expect(resolved.endpoints.map(({ registry, share }: Row) => [registry, share])).toEqual([
      ['dc1', 1],
      ['dc2', 0],
    ])
    const ratio = json(await disco.run('resolve', 'hello', '-C', 'dc1=80,dc2=20', '--json'))
    expect(ratio.endpoints.map(({ registry, share }: Row) => [registry, share])).toEqual([
      ['dc1', 0.8],
      ['dc2', 0.2],
    ])
    const called = json(
      await disco.run('call', 'hello', 'SayHello', '--n', '100', '-C', 'dc1=80,dc2=20', '--json'),
    )
    expect(
      called.registries.map(({ registry, picks, expected }: Row) => [registry, picks, expected]),
    ).toEqual([
      ['dc1', 80, 80],
      ['dc2', 20, 20],
    ])
    expect(called.verdict.result).toBe('pass')
    const first = json(await disco.run('call', 'hello', 'SayHello', '--n', '20', '-C', 'dc1,dc2', '--json'))
    expect(first.endpoints.map(({ registry, picks, expected }: Row) => [registry, picks, expected])).toEqual([
      ['dc1', 20, 20],
      ['dc2', 0, 0],
    ])
    expect(first.verdict.result).toBe('pass')
    expect(first.registries.map(({ spilledOver }: Row) => spilledOver)).toEqual([false, false])
    const table = await disco.run('call', 'hello', 'SayHello', '--n', '100', '-C', 'dc1=80,dc2=20')
    expect(table.stdout).toMatch(
      /REGISTRY +ENDPOINTS +CALLS +OBSERVED +EXPECTED.*\ndc1 +1 +80 +80\.0% +80\.0%/,
    )
  })

  it('calls endpoints of the second registry if the first has no READY endpoint, or is unavailable', async () => {
    await dc1.ctl('put', ...registration('hello', '127.0.0.1:1', { weight: 1 }))
    await dc1.ctl('del', ...registration('hello', local.addr, { weight: 1 }).slice(0, 1))
    const spilled = json(await disco.run('call', 'hello', 'SayHello', '--n', '20', '-C', 'dc1,dc2', '--json'))
    expect([spilled.ok, spilled.registries.map(({ picks }: Row) => picks)]).toEqual([20, [0, 20]])
    expect(spilled.registries.map(({ spilledOver }: Row) => spilledOver)).toEqual([false, true])
    const text = await disco.run('call', 'hello', 'SayHello', '--n', '20', '-C', 'dc1,dc2')
    expect(text.stdout).toContain('! spilled over to dc2: 20 calls, while no endpoint of dc1 was READY\n')
    const away = await disco.run('call', 'hello', 'SayHello', '--n', '20', '-C', 'away,dc2', '--json')
    expect([away.code, json(away).ok]).toEqual([0, 20])
    expect(json(away).registries[0].problem).toMatch(/not reachable/)
  })

  it('watches both registries, and continues if one is unavailable', async () => {
    const watching = disco.start('watch', 'hello', '-C', 'dc1,dc2,away')
    await watching.printed('"synced"', 2)
    await watching.printed('"stale"')
    await dc2.ctl('put', ...registration('hello', remote.addr, { weight: 7 }))
    await watching.printed('"type":"weight"')
    const events = watching.events()
    expect(events.filter(({ type }) => type === 'stale').map(({ registry }) => registry)).toEqual(['away'])
    expect(events.find(({ type }) => type === 'weight')).toMatchObject({ registry: 'dc2', from: 5, to: 7 })
    await watching.end('SIGINT')
    const counted = disco.start('watch', 'hello', '-C', 'dc1,dc2', '--count', '1')
    await counted.printed('"synced"', 2)
    await dc1.ctl('put', ...registration('hello', local.addr, { weight: 3 }))
    expect((await counted.exited()).code).toBe(0)
    const since = await disco.run('watch', 'hello', '-C', 'dc1,dc2', '--since', '5')
    expect([since.code, since.stdout, since.stderr]).toEqual([
      2,
      '',
      '✗ --since takes the revision of one registry: -C names several\n  Such as: -C dc1\n',
    ])
    const none = await disco.run('watch', 'hello', '-C', 'away,away')
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('away is named twice')])
  })

  it('is served by a proxy, which spills over and names the registry of each endpoint', async () => {
    const [port = 0] = await freePorts(1)
    const dying = await startGreeter({ port: 0 })
    await dc1.ctl('del', ...registration('hello', local.addr, { weight: 1 }).slice(0, 1))
    await dc1.ctl('put', ...registration('hello', dying.addr, { weight: 1 }))
    const log = join(folder, 'access.log')
    const admin = ['--admin', `127.0.0.1:${port}`, '--access-log', log]
    const proxy = disco.start('proxy', 'hello', '--listen', ':0', '-C', 'dc1,dc2,away', '--json', ...admin)
    await proxy.printed('"listen"')
    const [doc] = proxy.events() as unknown as [{ listen: string; services: [{ registries: Row[] }] }]
    expect(doc.services[0].registries).toMatchObject([
      { registry: 'dc1', priority: 0, endpoints: 1, problem: null },
      { registry: 'dc2', priority: 1, endpoints: 1, problem: null },
      { registry: 'away', rev: null, problem: expect.stringContaining('etcd is not reachable') },
    ])
    await proxy.printed(/! hello away: etcd is not reachable.*; there is no list yet\n/)
    const listed = await (await fetch(`http://127.0.0.1:${port}/endpoints`)).text()
    const { endpoints } = JSON.parse(listed).services[0]
    expect(endpoints.map(({ registry, addr }: Row) => [registry, addr])).toEqual([
      ['dc1', dying.addr],
      ['dc2', remote.addr],
    ])
    const call = (n: number) => disco.run('call', doc.listen, 'SayHello', '--n', String(n), '--json')
    expect(json(await call(10)).ok).toBe(10)
    dying.stop()
    await proxy.printed(`dc1 ${dying.addr} not READY`)
    expect(json(await call(10)).ok).toBe(10)
    expect((await proxy.end('SIGTERM')).code).toBe(0)
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    const calls = lines.map((line) => JSON.parse(line)).filter(({ path }) => path.endsWith('/SayHello'))
    expect(calls.map(({ registry, status }) => [registry, status])).toEqual([
      ...Array.from({ length: 10 }, () => ['dc1', 'OK']),
      ...Array.from({ length: 10 }, () => ['dc2', 'OK']),
    ])
  })

  it.each([
    ['weight', 'hello', local.addr, '5'],
    ['drain', 'hello', local.addr],
    ['unregister', 'hello', local.addr],
    ['register', 'hello', ':1001'],
    ['pick', 'hello'],
    ['wait', 'hello', '--for', 'endpoints>0'],
  ])('is refused by %s before any change, with commands to copy', async (...args) => {
    const refused = await disco.run(...args, '-C', 'dc1,dc2')
    const typed = args.map((word) => (word.includes('>') ? `'${word}'` : word)).join(' ')
    expect([refused.code, refused.stderr]).toEqual([
      2,
      [
        `✗ disco ${args[0]} works in one context, and -C names several: dc1,dc2`,
        `  disco ${typed} -C dc1`,
        `  disco ${typed} -C dc2`,
        '',
      ].join('\n'),
    ])
  })

  it('cannot be combined with connection flags', async () => {
    const refused = await disco.run('ls', '-C', 'dc1,dc2', '--endpoints', dc1.endpoint)
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining('--endpoints does not go with several contexts'),
    ])
  })

  it('names both registries if both are unavailable', async () => {
    contexts({ dc1: '127.0.0.1:1', dc2: '127.0.0.1:1' })
    for (const command of [
      ['ls', 'hello'],
      ['resolve', 'hello'],
      ['call', 'hello', 'SayHello'],
      ['watch', 'hello'],
    ]) {
      const failed = await disco.run(...command, '-C', 'dc1,dc2', '--no-color')
      expect([command[0], failed.code, failed.stderr]).toEqual([
        command[0],
        3,
        expect.stringMatching(/None of the registries dc1, dc2 can be (read|used): dc1: .*dc2: /s),
      ])
    }
  })
})

describe('-C dc1,dc2 while the etcd of dc1 does not answer', () => {
  beforeEach(() => dc1.pause())
  afterEach(() => dc1.resume())

  const quickly = ['-C', 'dc1,dc2', '--command-timeout', '2s', '--dial-timeout', '2s']
  /** With the cache, the endpoints of dc1 would receive the calls. */
  const uncached = ['--no-cache']

  it('lists only dc2', async () => {
    const listed = await disco.run('ls', 'hello', ...quickly, '--json')
    expect([listed.code, json(listed).endpoints.map(({ registry }: Row) => registry)]).toEqual([3, ['dc2']])
    expect(listed.stderr).toMatch(/dc1 is left out: /)
    // A service that dc2 does not have may exist in dc1, so the exit code is 3, not 4.
    const selected = await disco.run('ls', 'hello', ...quickly, '-l', 'version=9.9.9')
    expect([selected.code, selected.stderr]).toEqual([
      3,
      expect.stringMatching(/dc1 is left out: .*; among the others: No endpoint of hello is selected by/),
    ])
    const absent = await disco.run('ls', 'helo', ...quickly)
    expect([absent.code, absent.stderr]).toEqual([
      3,
      expect.stringMatching(/dc1 is left out: .*; among the others: dc2: No service "helo"/),
    ])
  })

  it('watches, calls and resolves with dc2 only', async () => {
    const watching = disco.start('watch', 'hello', ...quickly)
    await watching.printed('"synced"')
    await watching.printed('"stale"')
    await dc2.ctl('put', ...registration('hello', remote.addr, { weight: 7 }))
    await watching.printed('"type":"weight"')
    expect(watching.events().filter(({ type }) => type === 'stale')).toMatchObject([{ registry: 'dc1' }])
    await watching.end('SIGINT')
    const called = json(
      await disco.run('call', 'hello', 'SayHello', '--n', '5', ...quickly, ...uncached, '--json'),
    )
    expect([called.ok, called.registries.map(({ spilledOver }: Row) => spilledOver)]).toEqual([
      5,
      [false, true],
    ])
    const resolved = json(await disco.run('resolve', 'hello', ...quickly, ...uncached, '--json'))
    expect(resolved.endpoints.map(({ registry }: Row) => registry)).toEqual(['dc2'])
    expect(resolved.registries[0]).toMatchObject({ registry: 'dc1', rev: null })
  })

  it('serves a proxy and a control plane with dc2 only', async () => {
    const proxy = disco.start('proxy', 'hello', '--listen', ':0', ...quickly, ...uncached, '--json')
    await proxy.printed('"listen"')
    const { listen } = proxy.events()[0] as { listen: string }
    expect(json(await disco.run('call', listen, 'SayHello', '--n', '5', '--json')).ok).toBe(5)
    expect((await proxy.end('SIGTERM')).code).toBe(0)
    const xds = disco.start('xds', '--listen', ':0', ...quickly)
    await xds.printed('hello: 1 endpoint (dc1 0, dc2 1)')
    await xds.printed(/! dc1: .*; serving the other registries/)
    expect((await xds.end('SIGTERM')).code).toBe(0)
  })
})

describe('docs/data-centres.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/data-centres.md'), 'utf8')
  const [, block = ''] = /```\n(disco [^`]*)```/.exec(page) ?? []
  // The test uses contexts of its own.
  const commands = block.split('\n').filter((line) => line !== '' && !line.startsWith('disco context'))

  it('contains commands', () => {
    expect(commands).toHaveLength(7)
  })

  it.each(commands)('contains a command that works: %s', async (command) => {
    const [, ...words] = command.split(' ')
    const started = disco.start(...words)
    const printed = STAYS.get(words[0] ?? '')
    if (printed !== undefined) await started.printed(printed)
    const { code, stderr } = printed !== undefined ? await started.end('SIGTERM') : await started.exited()
    expect([code, stderr]).toEqual([words[0] === 'watch' ? 130 : 0, expect.not.stringContaining('✗')])
  })
})

/** Commands that run until a signal, and the text that they print when they are ready. */
const STAYS = new Map([
  ['watch', '"synced"'],
  ['proxy', 'proxy on'],
  ['xds', 'xDS on'],
])

interface Row {
  readonly registry: string
  readonly [field: string]: unknown
}
