import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { SOON } from '../support/calls-of-hello.js'
import { Disco, type Ran } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { leaseIds, registration, revision, storedText } from '../support/etcd-state.js'
import { freePorts } from '../support/ports.js'
import { ResidentTool } from '../support/resident-tool.js'

let etcd: RealEtcd
/** Starts processes, for tests of their end or of several at once. */
let disco: Disco
let tool: ResidentTool
let greeters: Greeter[]
let before: { revision: number; leases: string[] }

beforeAll(async () => {
  etcd = await RealEtcd.start()
  disco = new Disco(etcd.endpoint)
  tool = new ResidentTool(etcd.endpoint)
  greeters = await Promise.all([
    startGreeter({ port: 0 }),
    startGreeter({ port: 0, reflection: [] }),
    startGreeter({ port: 0, reflection: ['grpc.reflection.v1alpha'] }),
  ])
  for (const [index, service] of ['hello', 'mute', 'elder'].entries()) {
    await etcd.ctl('put', ...registration(service, greeters[index]?.addr ?? ''))
  }
  before = { revision: await revision(etcd), leases: await leaseIds(etcd) }
})
afterAll(async () => {
  for (const greeter of greeters) greeter.stop()
  await tool[Symbol.asyncDispose]()
  await etcd.stop()
})
afterEach(() => disco.stopAll())

/** Expects a proper failure: the documented exit code, only a message on stderr, and an unchanged etcd. */
async function expectRefusal(ran: Ran, exit: number, messages: readonly string[]): Promise<void> {
  expect(ran.code, ran.stderr).toBe(exit)
  expect(ran.stdout).toBe('')
  for (const text of messages) expect(ran.stderr).toContain(text)
  expect(ran.stderr).toMatch(/^✗ /)
  expectNoStack(ran)
  expect({ revision: await revision(etcd), leases: await leaseIds(etcd) }).toEqual(before)
}

function expectNoStack({ stdout, stderr }: Ran): void {
  expect(stdout + stderr).not.toMatch(/^\s+at .+:\d+/m)
}

const AT = '1.2.3.4:1001'
const FORMS = 'Expected host:port, [ipv6]:port, :port or unix:/path'

describe('invalid input is refused with exit 2, and nothing is written', () => {
  const refused: [what: string, args: string[], ...message: string[]][] = [
    ['an address without a port', ['register', 'hello', '1.2.3.4'], '"1.2.3.4" has no port', FORMS],
    ['port 0', ['register', 'hello', '1.2.3.4:0'], 'port 0, outside 1-65535'],
    ['port 70000', ['register', 'hello', '1.2.3.4:70000'], 'port 70000, outside 1-65535'],
    ['a port that is not a number', ['register', 'hello', '1.2.3.4:http'], 'no valid port ("http")'],
    ['a host with a space', ['register', 'hello', 'bad host:1001'], 'no valid host ("bad host")'],
    ['an empty address', ['register', 'hello', ''], 'has no port', FORMS],
    ['an IPv6 address without brackets', ['register', 'hello', '::1:1001'], 'without brackets'],
    ['an empty socket path', ['register', 'hello', 'unix:'], 'has no socket path'],
    ['an empty service name', ['register', '', AT], 'service name "" is empty'],
    ['a service name with a slash', ['register', 'a/b', AT], 'service name "a/b" contains "/"'],
    ['ls of a service name with a slash', ['ls', 'a/b', '--layout', 'seed'], 'contains "/"'],
    ['an unknown layout', ['ls', '--layout', 'krato'], 'Unknown layout "krato"', 'Did you mean kratos?'],
    ['a base for the seed layout', ['ls', '--layout', 'seed=/x'], 'no prefix of its own', '--root /x'],
    ['auto for writing', ['register', 'hello', AT, '--layout', 'auto'], 'auto is for reading'],
    ['a layout that is not written', ['register', 'a', AT, '--layout', 'traefik'], 'it is configuration'],
    ['an id without a place', ['register', 'a', AT, '--layout', 'kitex', '--id', '1'], 'no place for an id'],
    ['no id for a layout of ids', ['register', 'a', AT, '--layout', 'panshiqu'], 'needs an id', '--id'],
    [
      'a version without a place',
      ['register', 'a', AT, '--layout', 'etcd', '--version', '1'],
      'no place for',
    ],
    [
      'a weight without a place',
      ['register', 'a', AT, '--layout', 'etcd', '--weight', '2'],
      'carries no weight',
    ],
    [
      'an id that makes another key',
      ['register', 'a', AT, '--layout', 'pandaychen', '--version', '1', '--id', 'x/y'],
      'The layout pandaychen cannot write this',
    ],
    [
      'an id with control characters',
      ['register', 'a', AT, '--layout', 'kratos', '--id', 'x\u007f'],
      'control',
    ],
    ['watch of an empty service name', ['watch', ''], 'is empty'],
    ['a version with a slash', ['register', 'hello', AT, '--version', '1/2'], 'contains "/"'],
    ['a TTL of 0', ['register', 'hello', AT, '--ttl', '0'], 'Invalid --ttl "0": expected whole seconds'],
    ['a TTL of 1e12', ['register', 'hello', AT, '--ttl', '1e12'], 'from 1 to 9000000000'],
    ['a TTL that is not a number', ['register', 'hello', AT, '--ttl', 'abc'], 'Invalid --ttl "abc"'],
    ['a negative first weight', ['register', 'hello', AT, '--weight', '-1'], 'Invalid --weight "-1"'],
    ['a weight that is not a number', ['weight', 'hello', AT, 'x'], 'Invalid WEIGHT "x"', '0 to 2147483647'],
    ['a weight over 2^31-1', ['weight', 'hello', AT, '2147483648'], 'integers from 0 to 2147483647'],
    ['a weight without an address', ['weight', 'hello'], 'Missing arguments: an address and a weight'],
    ['an unregister without a port', ['unregister', 'hello', '1.2.3.4'], 'has no port'],
    ['an unknown flag', ['ls', '--nope'], '--nope'],
    ['a missing argument', ['register', 'hello'], 'disco register needs ADDR'],
    ['an unknown command', ['regster'], 'no command "regster"', 'Did you mean register?'],
    ['an unknown output format', ['ls', '-o', 'xml'], 'Invalid --output "xml"', 'ndjson'],
    ['an unknown policy', ['call', 'hello', 'SayHello', '--policy', 'best'], '"best"', 'round_robin (rr)'],
    ['no calls', ['call', 'hello', 'SayHello', '--n', '0'], 'Invalid --n "0"', 'from 1 to'],
    ['an invalid deadline', ['call', 'hello', 'SayHello', '--deadline', 'x'], 'Invalid --deadline "x"'],
    ['an invalid timeout', ['ls', '--command-timeout', 'x'], 'Invalid --command-timeout "x"', 'such as 5s'],
    ['data that is not JSON', ['call', 'hello', 'SayHello', '-d', '{bad'], 'not JSON', 'position 1'],
    ['an unknown field', ['call', 'hello', 'SayHello', '-d', '{"nam":"x"}'], '"nam"', 'Its fields: name'],
    ['a field of another type', ['call', 'hello', 'SayHello', '-d', '{"name":1}'], 'expected string, got 1'],
    [
      'an etcd endpoint without a port',
      ['ls', '--endpoints', 'localhost'],
      '"localhost" from --endpoints has no port',
    ],
    ['a password on the command line', ['ls', '--user', 'me:secret'], '--password-file'],
    ['a CA file that is not there', ['ls', '--cacert', 'none.pem'], 'Cannot read none.pem'],
    ['a .proto file that is not there', ['call', 'mute', 'SayHello', '--proto', 'none.proto'], 'none.proto'],
  ]
  test.each(refused)('%s', async (_what, args, ...messages) => {
    await expectRefusal(await tool.run(...args), 2, messages)
  })

  test('a weight below 0, and the error has the current weight', async () => {
    const [key = '', value = ''] = registration('drained', AT, { weight: 0 })
    await etcd.ctl('put', key, value)
    before = { ...before, revision: await revision(etcd) }
    const messages = ['The weight would be -1; it is 0 now and cannot go below 0']
    await expectRefusal(await tool.run('weight', 'drained', AT, '-1', '--force'), 2, messages)
    expect(await storedText(etcd, key)).toBe(value)
  })

  test('a password is never printed', async () => {
    const { stdout, stderr } = await tool.run('ls', '--user', 'me:secret', '--debug')
    expect(stdout + stderr).not.toContain('secret')
  })
})

describe('the error for an unknown name lists the existing ones:', () => {
  test('a service with a look-alike name, whose letters are shown as code points', async () => {
    const messages = ['No service "h\\u0435llo" under / (rev ', 'Did you mean hello?']
    await expectRefusal(await tool.run('ls', 'h\u0435llo'), 4, messages)
  })

  test('a service, with the closest names', async () => {
    const messages = [
      'No service "helo" under / (rev ',
      'Did you mean hello? ',
      ' services: ',
      'elder, hello, mute',
    ]
    const [listed, called] = await Promise.all([tool.run('ls', 'helo'), tool.run('call', 'helo', 'SayHello')])
    await expectRefusal(listed, 4, messages)
    await expectRefusal(called, 4, messages)
  })

  test('an endpoint, with the endpoints of the service', async () => {
    const messages = [`hello has no endpoint ${AT}`, `It has: ${greeters[0]?.addr}`]
    await expectRefusal(await tool.run('weight', 'hello', AT, '5'), 4, messages)
  })

  test('a method, with the methods of the server and where they were found', async () => {
    const messages = ['helloworld.Greeter has no method "SayHi"', 'SayHello', `v1 at ${greeters[0]?.addr}`]
    await expectRefusal(await tool.run('call', 'hello', 'SayHi'), 4, messages)
  })

  test('a method of another service, with the full names of the methods of the server', async () => {
    const messages = ['"Other/SayHello"', 'helloworld.Greeter/SayHello']
    await expectRefusal(await tool.run('call', 'hello', 'Other/SayHello'), 4, messages)
  })
})

describe('IPv6 and Unix socket addresses are accepted unchanged', () => {
  test.each(['[::1]:1001', 'unix:/run/hello.sock'])('%s', async (addr) => {
    const held = disco.start('register', 'kinds', addr)
    await held.printed('"type":"added"')
    expect(held.events()[0]).toMatchObject({ addr, key: `/kinds/${addr}` })
    const { stdout } = await tool.run('ls', 'kinds', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ endpoints: [{ addr, version: '', problem: null }] })
    const removed = await tool.run('unregister', 'kinds', addr)
    expect(removed).toMatchObject({ code: 0, stderr: '! kinds has no endpoint left\n' })
    await held.exited()
    expect(await storedText(etcd, `/kinds/${addr}`)).toBe('')
  })
  afterAll(async () => {
    before = { revision: await revision(etcd), leases: await leaseIds(etcd) }
  })
})

describe('servers', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'disco-proto-'))
    await writeFile(
      join(folder, 'greeter.proto'),
      [
        'syntax = "proto3";',
        'package helloworld;',
        'message HelloRequest { string name = 1; }',
        'message HelloReply { string message = 1; string endpoint = 2; }',
      ].join('\n'),
    )
    await writeFile(
      join(folder, 'service.proto'),
      [
        'syntax = "proto3";',
        'package helloworld;',
        'import "greeter.proto";',
        'service Greeter { rpc SayHello (HelloRequest) returns (HelloReply); }',
      ].join('\n'),
    )
  })
  afterAll(() => rm(folder, { recursive: true, maxRetries: 5 }))

  test('without reflection get the hint --proto', async () => {
    const messages = ['no reflection, neither v1 nor v1alpha', '--proto FILE [--import-path DIR]']
    await expectRefusal(await tool.run('call', 'mute', 'SayHello'), 7, messages)
  })

  test('without reflection are called with --proto and --import-path', async () => {
    const described = ['--proto', join(folder, 'service.proto'), '--import-path', folder]
    const ran = await tool.run('call', 'mute', 'SayHello', ...described, '-d', '{"name":"abc"}')
    expect(ran.code, ran.stderr).toBe(0)
    expect(JSON.parse(ran.stdout)).toEqual({ message: 'Hello abc', endpoint: greeters[1]?.addr })
  })

  test('with only reflection v1alpha are asked by v1alpha', async () => {
    const [called, missing] = await Promise.all([
      tool.run('call', 'elder', 'SayHello', '-d', '{"name":"abc"}'),
      tool.run('call', 'elder', 'SayHi'),
    ])
    expect(JSON.parse(called.stdout)).toEqual({ message: 'Hello abc', endpoint: greeters[2]?.addr })
    expect(called.stderr).toContain(`helloworld.Greeter/SayHello at ${greeters[2]?.addr}`)
    await expectRefusal(missing, 4, ['reflection v1alpha'])
  })

  test('that refuse the connection cause exit code 7, with the address and the reason', async () => {
    const [port] = await freePorts(1)
    const [key = '', value = ''] = registration('dead', `127.0.0.1:${port}`)
    await etcd.ctl('put', key, value)
    before = { ...before, revision: await revision(etcd) }
    const [plain, json] = await Promise.all([
      tool.run('call', 'dead', 'SayHello', ...SOON),
      tool.run('call', 'dead', 'SayHello', ...SOON, '--n', '10', '--json'),
    ])
    await expectRefusal(plain, 7, ['no endpoint that is READY', `127.0.0.1:${port} connection refused`])
    expect(json.code).toBe(7)
    expect(errorIn(json)).toMatchObject({ code: 'RPC_FAILED', exit: 7 })
  })

  test('that fail a single call cause exit code 64 + status, with the status in words', async () => {
    const failing = await startGreeter({ port: 0, errorFraction: 1 })
    try {
      await etcd.ctl('put', ...registration('failing', failing.addr))
      const [one, ten] = await Promise.all([
        tool.run('call', 'failing', 'SayHello'),
        tool.run('call', 'failing', 'SayHello', '--n', '10', '--json'),
      ])
      expect(one).toMatchObject({ code: 64 + 14, stdout: '' })
      expect(one.stderr).toContain('UNAVAILABLE: an error as configured')
      expect(ten.code).toBe(7)
      expect(JSON.parse(ten.stdout)).toMatchObject({ calls: 10, ok: 0, failures: { UNAVAILABLE: 10 } })
    } finally {
      failing.stop()
    }
  })
})

function errorIn({ stdout }: Ran): unknown {
  return (JSON.parse(stdout) as { error: unknown }).error
}

describe('while etcd is unavailable', () => {
  let unusedAddr = ''
  beforeAll(async () => {
    const [port] = await freePorts(1)
    unusedAddr = `127.0.0.1:${port}`
  })
  const commands = [
    ['ls'],
    ['watch', 'hello'],
    ['register', 'hello', AT],
    ['unregister', 'hello', AT],
    ['weight', 'hello', AT, '5'],
    ['call', 'hello', 'SayHello', '--no-cache'],
  ]

  test('because it is down, every command reports where, why and how often it tried, and exits 3', async () => {
    for (const command of commands) {
      const ran = await tool.run(...command, '--endpoints', unusedAddr)
      expect(ran.code, command.join(' ')).toBe(3)
      expect(ran.stderr).toContain(`etcd is not reachable at ${unusedAddr} (connection refused, `)
      expect(ran.stderr).toMatch(/\d tries in \d\.\ds/)
      expect(ran.stderr).toContain('From --endpoints. Start a local one: disco dev')
      expectNoStack(ran)
    }
  })

  test('because it never answers, every command gives up at --command-timeout and exits 3', async () => {
    etcd.pause()
    try {
      const runs = commands.map((command) => disco.run(...command, '--command-timeout', '1s'))
      for (const ran of await Promise.all(runs)) {
        expect(ran).toMatchObject({ code: 3, stdout: '' })
        // Six processes run at once, and the timeout of each goes on while the others use the CPU.
        expect(ran.stderr).toContain(`No answer from etcd at ${etcd.endpoint} in `)
        expect(ran.stderr).toMatch(/ in [1-4]\.\d/)
        expectNoStack(ran)
      }
    } finally {
      etcd.resume()
    }
  })
})

describe('with --json an error is a document on stdout, with the same exit code', () => {
  const failures: [what: string, args: string[], exit: number, code: string][] = [
    ['an address', ['register', 'hello', '1.2.3.4', '--json'], 2, 'USAGE'],
    ['a flag', ['ls', '--nope', '-o', 'json'], 2, 'USAGE'],
    ['a command', ['wach', '--json'], 2, 'USAGE'],
    ['a service', ['ls', 'helo', '--output=json'], 4, 'NOT_FOUND'],
    ['a method', ['call', 'hello', 'SayHi', '--json'], 4, 'NOT_FOUND'],
    ['reflection', ['call', 'mute', 'SayHello', '--json'], 7, 'RPC_FAILED'],
    ['etcd', ['ls', '--json', '--endpoints', '127.0.0.1:1'], 3, 'ETCD_UNREACHABLE'],
  ]
  test.each(failures)('%s', async (_what, args, exit, code) => {
    const ran = await tool.run(...args)
    expect(ran).toMatchObject({ code: exit, stderr: '' })
    expectNoStack(ran)
    expect(Object.keys(JSON.parse(ran.stdout) as object)).toEqual(['error'])
    expect(errorIn(ran)).toEqual({ code, exit, message: expect.any(String), hint: expect.any(String) })
  })

  test('a stack trace is printed only with --debug, on stderr', async () => {
    const ran = await tool.run('ls', 'helo', '--json', '--debug')
    expect(errorIn(ran)).toMatchObject({ code: 'NOT_FOUND' })
    expect(ran.stderr).toMatch(/^\s+at .+:\d+/m)
  })
})
