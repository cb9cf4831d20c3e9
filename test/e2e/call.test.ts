import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { CallDoc, CallLineDoc } from '../../src/cli/schema/call.js'
import type { ComparisonDoc } from '../../src/cli/schema/comparison.js'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { Disco, type Process, type Ran, until } from '../support/disco.js'
import { startEchoServer } from '../support/echo-server.js'
import { RealEtcd } from '../support/etcd.js'
import { registration, wipe } from '../support/etcd-state.js'
import { freePorts } from '../support/ports.js'
import { PROTOS } from '../support/protoc.js'
import { expectShape } from '../support/shape.js'

/** More calls than any test waits for: such a run ends by a signal. */
const ENDLESS = ['--n', '100000000']
/** Nobody has to be waited for long who never comes up. */
const SOON = ['--connect-deadline', '1s']
/** Describes what the greeters do not have. */
const FROM_PROTO = ['--proto', 'everything.proto', '--import-path', PROTOS]

let etcd: RealEtcd
let disco: Disco
let greeters: readonly [Greeter, Greeter, Greeter]

beforeAll(async () => {
  etcd = await RealEtcd.start()
  greeters = await Promise.all([
    startGreeter({ port: 0 }),
    startGreeter({ port: 0 }),
    startGreeter({ port: 0 }),
  ])
})
afterAll(async () => {
  for (const greeter of greeters) greeter.stop()
  await etcd.stop()
})
beforeEach(() => {
  disco = new Disco(etcd.endpoint)
})
afterEach(async () => {
  await disco.stopAll()
  await wipe(etcd)
})

async function put(addr: string, options: { version?: string; weight?: number } = {}): Promise<void> {
  await etcd.ctl('put', ...registration('hello', addr, options))
}

/** What a command printed, where it had nothing to complain of. */
async function output(...args: string[]): Promise<string> {
  const ran = await disco.run('call', 'hello', ...args)
  expect(ran.code, ran.stderr).toBe(0)
  return ran.stdout
}

async function reportOf(...args: string[]): Promise<CallDoc> {
  return JSON.parse(await output('SayHello', '--json', ...args)) as CallDoc
}

function lines<Line>(ndjson: string): Line[] {
  return ndjson
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

/** A run that goes on until it is ended. */
function startRun(...args: string[]): Process {
  return disco.start('call', 'hello', 'SayHello', ...ENDLESS, ...args)
}

async function untilCalled(greeter: Greeter, more = 20): Promise<void> {
  const from = greeter.calls()
  await until(
    () => greeter.calls() >= from + more,
    () => `${more} calls of ${greeter.addr}`,
  )
}

async function interrupted(running: Process): Promise<CallDoc> {
  const { stdout, code } = await running.end('SIGINT')
  expect(code).toBe(130)
  return JSON.parse(stdout) as CallDoc
}

describe('a run', () => {
  test('reports an endpoint that nobody serves, and lines as well as documents have the shape of their golden files', async () => {
    const [greeter, another] = greeters
    const [port] = await freePorts(1)
    await put(greeter.addr, { weight: 3 })
    const tenLines = lines<CallLineDoc>(await output('SayHello', '--n', '10', '-o', 'ndjson'))
    const [verbose] = lines<CallLineDoc>(await output('SayHello', '-v', '-o', 'ndjson'))
    expectShape('call-line', ...tenLines, verbose)
    expect(tenLines[0]).toMatchObject({ headers: null, trailers: null })
    expect(verbose).toMatchObject({ headers: { 'content-type': ['application/grpc+proto'] }, trailers: {} })
    expect(tenLines.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    const failed = await disco.run('call', 'hello', 'One', ...FROM_PROTO, '--json')
    // 64 + UNIMPLEMENTED
    expect(failed.code).toBe(76)
    await put(`127.0.0.1:${port}`, { weight: 1 })
    const [one, table] = await Promise.all([
      reportOf('--assert', 'errors<1%', ...SOON),
      output('SayHello', '--n', '5', ...SOON),
    ])
    expect(one).toMatchObject({
      ...{ schema: 'disco.call/v1', calls: 1, reply: { endpoint: greeter.addr } },
      unserved: [{ addr: `127.0.0.1:${port}`, share: 0.25, problem: 'connection refused' }],
    })
    expect(table).toContain(
      `! 127.0.0.1:${port} was never READY (connection refused): 25.0% of the weight is unserved`,
    )
    expect(table).toMatch(/^PASS {2}.*\n.*5 calls, 5 OK/m)

    await put(another.addr, { version: '2.0.0', weight: 1 })
    const running = startRun('--json', ...SOON)
    await untilCalled(another)
    await etcd.ctl('del', registration('hello', another.addr, { version: '2.0.0' })[0])
    await untilCalled(greeter, 200)
    expectShape('call', one, await interrupted(running), JSON.parse(failed.stdout))
  })

  test('tells at which call an endpoint joined, got another weight and left, and when it was picked last', async () => {
    const [first, second, third] = greeters
    await put(first.addr, { version: '1.0.0' })
    await put(second.addr, { version: '2.0.0' })
    const running = startRun('--json')
    await untilCalled(first)
    await put(first.addr, { version: '1.0.0', weight: 3 })
    await put(third.addr, { version: '1.0.0' })
    await untilCalled(third)
    await etcd.ctl('del', registration('hello', second.addr, { version: '2.0.0' })[0])
    await untilCalled(first, 300)
    const doc = await interrupted(running)
    expect(doc).toMatchObject({ interrupted: true, failures: {}, misrouted: 0, verdict: { result: 'pass' } })
    expect(doc.changes).toEqual([
      expect.objectContaining({ type: 'weight', addr: first.addr, from: 1, to: 3, reason: null }),
      expect.objectContaining({ type: 'joined', addr: third.addr, from: null, to: 1, reason: null }),
      expect.objectContaining({ type: 'left', addr: second.addr, reason: 'gone from the registry' }),
    ])
    const [weighed, joined, left] = doc.changes.map(({ atCall }) => atCall)
    expect(joined).toBeGreaterThan(weighed ?? 0)
    expect(left).toBeGreaterThan(joined ?? 0)
    expect(doc.failovers).toHaveLength(1)
    const [failover] = doc.failovers
    expect(failover?.addr).toBe(second.addr)
    // The deletion is told to the balancer with what comes within 20 ms of it; a pick may fall in between.
    if (failover?.picksAfter === 0) expect(failover.lastPickMs).toBeLessThanOrEqual(0)
    else expect(failover?.lastPickMs).toBeGreaterThan(0)
    expect(doc.versions.map(({ version, endpoints }) => [version, endpoints])).toEqual([
      ['1.0.0', 2],
      ['2.0.0', 1],
    ])
    const inAll = doc.versions.reduce((sum, { picks }) => sum + picks, 0)
    expect(inAll).toBe(doc.calls)
    expect(doc.histogram.reduce((sum, band) => sum + band.calls, 0)).toBe(doc.calls)
  })

  test('of so many calls at a time makes exactly as many as it was told, and counts them all', async () => {
    await Promise.all(greeters.map(({ addr }) => put(addr)))
    const before = greeters.map((greeter) => greeter.calls())
    const doc = await reportOf('--n', '500', '-c', '32')
    expect(doc).toMatchObject({ calls: 500, ok: 500, attempts: 500, verdict: { result: 'pass' } })
    expect(greeters.reduce((sum, greeter, at) => sum + greeter.calls() - (before[at] ?? 0), 0)).toBe(500)
  })

  test('leaves the calls of its warm-up out of the report', async () => {
    const [greeter] = greeters
    await put(greeter.addr)
    const before = greeter.calls()
    const doc = await reportOf('--n', '20', '--warmup', '30')
    expect(greeter.calls() - before).toBe(50)
    expect(doc).toMatchObject({ calls: 20, attempts: 20, latencyMs: { n: 20 } })
    expect(doc.endpoints).toMatchObject([{ picks: 20, expected: 20, attempts: 20 }])
  })

  test('at a rate makes as many calls as the rate and the time give', async () => {
    await put(greeters[0].addr)
    const doc = await reportOf('--rate', '50', '--duration', '1s')
    expect(doc.calls).toBe(50)
    expect(doc.elapsedMs).toBeGreaterThan(950)
  })

  test('at a rate that the server cannot keep, latencies grow by the time that calls had to wait', async () => {
    const slow = await startGreeter({ port: 0, latencyMs: 100 })
    try {
      await put(slow.addr)
      // Due every 20 ms, one at a time and 100 ms each: the 20th waits for 1.6 s.
      const doc = await reportOf('--rate', '50', '--n', '20', '-c', '1')
      expect(doc.latencyMs.max).toBeGreaterThan(1_500)
    } finally {
      slow.stop()
    }
  })

  test('that is interrupted ends calls that hang, and says so', async () => {
    const mute = await startGreeter({ port: 0, latencyMs: 600_000 })
    try {
      await put(mute.addr)
      const running = startRun('--json', '-c', '3', '--deadline', '10m')
      await untilCalled(mute, 3)
      const doc = await interrupted(running)
      expect(doc).toMatchObject({ interrupted: true, calls: 3, ok: 0, failures: { CANCELLED: 3 } })
    } finally {
      mute.stop()
    }
  })

  test.each([0, 5, 50])('that is interrupted twice, %s ms apart, still reports', async (gapMs) => {
    const mute = await startGreeter({ port: 0, latencyMs: 600_000 })
    try {
      await Promise.all([put(greeters[0].addr), put(mute.addr)])
      const running = startRun('--json', '-c', '4', '--deadline', '10m', '--policy', 'random')
      await untilCalled(mute, 4)
      running.child.kill('SIGINT')
      await delay(gapMs)
      const doc = await interrupted(running)
      expect(doc).toMatchObject({ interrupted: true, calls: doc.ok + 4, failures: { CANCELLED: 4 } })
    } finally {
      mute.stop()
    }
  })

  test('shows on a terminal what it waits for', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    await Promise.all([put(greeters[0].addr), put(`127.0.0.1:${port}`)])
    const args = ['call', 'hello', 'SayHello', ...SOON]
    const running = disco.onTerminal(120, 30, ...args)
    await running.printed('connecting to hello: 1/2 ready…')
    const { stdout } = await running.exited()
    silent.close()
    expect(stdout).toContain('"message": "Hello "')
  })

  test('shows how it goes on a terminal, on one line that it clears', async () => {
    await put(greeters[0].addr)
    const running = disco.onTerminal(120, 30, 'call', 'hello', 'SayHello', ...ENDLESS)
    await running.printed(/\d+ calls {2}\d+\/s {2}p50 /, 2)
    running.child.stdin?.write('\u0003')
    const { stdout } = await running.exited()
    expect(stdout).toContain('(interrupted)')
    expect(stdout.slice(stdout.indexOf('ENDPOINT'))).not.toContain('/s  p50 ')
  })
})

describe('policies side by side', () => {
  test('make the same calls one after the other, and are compared', async () => {
    const [heavy, light] = greeters
    await put(heavy.addr, { weight: 3 })
    await put(light.addr, { weight: 1 })
    const args = ['SayHello', '--n', '8', '--policy', 'rr,wrr']
    const doc = JSON.parse(await output(...args, '--json')) as ComparisonDoc
    expect(doc).toMatchObject({ schema: 'disco.comparison/v1', service: 'hello' })
    expectShape('comparison', { ...doc, runs: [] })
    const picks = doc.runs.map((run) => [
      run.policy,
      ...[heavy, light].map(({ addr }) => run.endpoints.find((own) => own.addr === addr)?.picks),
    ])
    expect(picks).toEqual([
      ['round_robin', 4, 4],
      ['weighted_round_robin', 6, 2],
    ])
    const table = await output(...args.with(-1, 'rr,wrr,least_request'))
    expect(table).toMatch(/^least_request .* NOT JUDGED$/m)
    expect(table).toContain('round_robin against weighted_round_robin')
    expect(table).toMatch(new RegExp(`${heavy.addr} +50\\.0% +75\\.0%`))
  })
})

test('policies side by side, interrupted in the first, are a comparison of what there is', async () => {
  const [greeter] = greeters
  await put(greeter.addr)
  const running = startRun('--json', '--policy', 'rr,wrr')
  await untilCalled(greeter)
  const { stdout, code } = await running.end('SIGINT')
  expect(code).toBe(130)
  const { schema, runs } = JSON.parse(stdout) as ComparisonDoc
  expect(schema).toBe('disco.comparison/v1')
  expect(runs).toMatchObject([{ policy: 'round_robin', interrupted: true }])
})

describe('assertions', () => {
  test('that do not hold exit with 8 and are named; those that hold are told, too', async () => {
    await put(greeters[0].addr)
    const ran = await disco.run('call', 'hello', 'SayHello', '--n', '20', '--assert', 'max<0.001ms,skew<5%')
    expect(ran.code).toBe(8)
    expect(ran.stdout).toMatch(/^✗ max<0\.001ms: it is [\d.]+ms$/m)
    expect(ran.stdout).toMatch(/^✓ skew<5%: it is 0\.0%$/m)
  })

  test('about errors replace the exit code for failed calls', async () => {
    const failing = await startGreeter({ port: 0, errorFraction: 1 })
    try {
      await put(failing.addr)
      const run = async (...args: string[]) =>
        (await disco.run('call', 'hello', 'SayHello', '--n', '4', ...args)).code
      expect(await run()).toBe(7)
      expect(await run('--assert', 'errors<=100%')).toBe(0)
      expect(await run('--assert', 'errors<50%')).toBe(8)
    } finally {
      failing.stop()
    }
  })

  test('about what a short run cannot tell do not hold', async () => {
    await put(greeters[0].addr)
    const ran = await disco.run('call', 'hello', 'SayHello', '--n', '5', '--assert', 'p99<1m')
    expect(ran.code).toBe(8)
    expect(ran.stdout).toContain('✗ p99<1m: too few calls to tell')
  })
})

describe('calls that fail', () => {
  test('are counted by status, and the first is told with its endpoint and why', async () => {
    const [greeter] = greeters
    await put(greeter.addr)
    const args = ['call', 'hello', 'One', ...FROM_PROTO, '--n', '10']
    const [table, json] = await Promise.all([disco.run(...args), disco.run(...args, '--json')])
    expect([table.code, json.code]).toEqual([7, 7])
    expect(table.stdout).toMatch(/10 calls, 0 OK, 10 UNIMPLEMENTED/)
    const why = 'The server does not implement the method /everything.Echo/One'
    expect(table.stdout).toContain(`✗ first failure: call 1 at ${greeter.addr}: UNIMPLEMENTED: ${why}`)
    expect((JSON.parse(json.stdout) as CallDoc).firstFailure).toEqual({
      ...{ n: 1, addr: greeter.addr, status: 'UNIMPLEMENTED', details: why },
    })
  })

  test.each(['table', 'json', 'ndjson'])(
    'because the reply is no such message are told so: %s',
    async (format) => {
      const folder = await mkdtemp(join(tmpdir(), 'disco-call-'))
      const file = join(folder, 'other.proto')
      await writeFile(
        file,
        `syntax = "proto3"; package helloworld; message HelloRequest {} message Part { int32 a = 1; }
      message HelloReply { Part message = 1; }
      service Greeter { rpc SayHello (HelloRequest) returns (HelloReply); }`,
      )
      await put(greeters[0].addr)
      const ran = await disco.run('call', 'hello', 'SayHello', '--proto', file, '-o', format)
      await rm(folder, { recursive: true })
      expect(ran.code, ran.stderr).toBe(7)
      expect(ran.stdout + ran.stderr).toContain('The reply is no helloworld.HelloReply')
      expect(ran.stdout + ran.stderr).toContain('another version of the .proto')
      expect(ran.stderr).not.toContain('    at ')
    },
  )
})

test('lines of calls have what they came to beside them, and so the reason of the exit code', async () => {
  await put(greeters[0].addr)
  const ran = await disco.run(
    'call',
    'hello',
    'SayHello',
    '--n',
    '10',
    '-o',
    'ndjson',
    '--assert',
    'max<0.001ms',
  )
  expect(ran.code).toBe(8)
  expect(lines(ran.stdout)).toHaveLength(10)
  expect(ran.stderr).toMatch(/^PASS .*\n.*10 calls, 10 OK.*\n✗ max<0\.001ms: it is /)
})

describe('a service config', () => {
  async function configured(config: object, ...args: string[]): Promise<Ran> {
    const file = join(await mkdtemp(join(tmpdir(), 'disco-call-')), 'config.json')
    await writeFile(file, JSON.stringify(config))
    const ran = await disco.run('call', 'hello', 'SayHello', '--service-config', file, ...args)
    await rm(dirname(file), { recursive: true })
    return ran
  }
  const retrying = (maxAttempts: unknown) => ({
    name: [{}],
    retryPolicy: {
      ...{ maxAttempts, initialBackoff: '0.001s', maxBackoff: '0.01s', backoffMultiplier: 1 },
      retryableStatusCodes: ['UNAVAILABLE'],
    },
  })

  test('makes retries, which are counted apart and leave shares and verdict alone', async () => {
    const failing = await startGreeter({ port: 0, errorFraction: 1 })
    try {
      await Promise.all([put(failing.addr), put(greeters[0].addr)])
      const config = { methodConfig: [retrying(5)], loadBalancingConfig: [{ pick_first: {} }] }
      const ran = await configured(config, '--n', '40', '--json')
      expect(ran.code, ran.stderr).toBe(0)
      expect(ran.stderr).toContain('--policy decides')
      const doc = JSON.parse(ran.stdout) as CallDoc
      expect(doc).toMatchObject({ calls: 40, ok: 40, failures: {}, verdict: { result: 'pass' } })
      expect(doc.attempts).toBeGreaterThan(40)
      expect(doc.endpoints.reduce((sum, { picks }) => sum + picks, 0)).toBe(40)
      expect(doc.endpoints.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(doc.attempts)
    } finally {
      failing.stop()
    }
  })

  test('that grpc-js refuses is a usage error with its reason', async () => {
    await put(greeters[0].addr)
    const ran = await configured({ methodConfig: [retrying('many')] })
    expect(ran).toMatchObject({ code: 2, stdout: '' })
    expect(ran.stderr).toContain('maxAttempts must be an integer')
  })
})

describe('what a call sends', () => {
  async function replies(...args: string[]): Promise<string[]> {
    await put(greeters[0].addr)
    const printed = lines<CallLineDoc>(await output('SayHello', '-o', 'ndjson', ...args))
    return printed.map(({ reply }) => (reply as { message: string }).message)
  }

  test('is filled in anew for each call', async () => {
    expect(await replies('--n', '3', '-d', '{"name":"user-{{n}}"}')).toEqual([
      'Hello user-1',
      'Hello user-2',
      'Hello user-3',
    ])
    const ids = await replies('--n', '3', '-d', '{"name":"{{uuid}} {{now}}"}')
    expect(new Set(ids).size).toBe(3)
    for (const id of ids) expect(id).toMatch(/^Hello [0-9a-f-]{36} \d{4}-\d\d-\d\dT[\d:.]+Z$/)
  })

  test('goes through several messages by turns, one a call', async () => {
    const three = '{"name":"a"}\n{"name":"b"}\n\n{"name":"c"}\n'
    expect(await replies('--n', '4', '-d', three)).toEqual(['Hello a', 'Hello b', 'Hello c', 'Hello a'])
  })

  test('comes from standard input', async () => {
    await put(greeters[0].addr)
    const running = disco.start('call', 'hello', 'SayHello', '-d', '@-')
    running.child.stdin?.end('{"name":"piped"}\n')
    const { stdout } = await running.exited()
    expect(JSON.parse(stdout)).toMatchObject({ message: 'Hello piped' })
  })

  test('hash keys with a placeholder spread calls, and one without keeps them together', async () => {
    await Promise.all(greeters.map(({ addr }) => put(addr)))
    const used = async (key: string) => {
      const args = ['--n', '60', '--policy', 'ring_hash', '--hash-key', key, '--json']
      // Its exit code is the verdict's, which this is not about.
      const doc = JSON.parse((await disco.run('call', 'hello', 'SayHello', ...args)).stdout) as CallDoc
      return doc.endpoints.filter(({ picks }) => picks > 0).length
    }
    expect(await used('user')).toBe(1)
    expect(await used('user-{{n}}')).toBe(3)
  })
})

describe('methods that stream', () => {
  async function echo(method: string, ...args: string[]): Promise<Ran> {
    await using server = await startEchoServer(['grpc.reflection.v1alpha'])
    await put(server.addr)
    return await disco.run('call', 'hello', method, ...args)
  }

  test.each([
    ['One', '{"aString":"a"}', ['a']],
    ['Down', '{"aString":"a"}', ['a', 'a', 'a']],
    ['Up', '{"aString":"a"}\n{"aString":"b"}', ['b']],
    ['Both', '{"aString":"a"}\n{"aString":"b"}', ['a', 'b']],
  ])('%s prints each reply, a line each where there may be several', async (method, data, texts) => {
    const ran = await echo(method, '-d', data)
    expect(ran.code, ran.stderr).toBe(0)
    const printed = method === 'Down' || method === 'Both' ? lines(ran.stdout) : [JSON.parse(ran.stdout)]
    expect(printed).toEqual(texts.map((aString) => ({ aString })))
    await wipe(etcd)
    const doc = JSON.parse((await echo(method, '-d', data, '--json', ...FROM_PROTO)).stdout) as CallDoc
    expect(doc.reply).toEqual(method === 'Down' || method === 'Both' ? printed : printed[0])
  })

  test('count as one call each in a run, with all replies in its line', async () => {
    const ran = await echo('Both', '-d', '{"anInt32":1}\n{"anInt32":2}', '--n', '3', '-o', 'ndjson')
    expect(lines<CallLineDoc>(ran.stdout).map(({ reply }) => reply)).toEqual(
      [1, 2, 3].map(() => [{ anInt32: 1 }, { anInt32: 2 }]),
    )
  })

  test('a message may be larger than what the connection takes at once', async () => {
    const text = 'x'.repeat(200_000)
    const file = join(await mkdtemp(join(tmpdir(), 'disco-call-')), 'data.json')
    await writeFile(file, `${JSON.stringify({ aString: text })}\n`.repeat(5))
    const ran = await echo('Both', '-d', `@${file}`)
    await rm(dirname(file), { recursive: true })
    expect(lines<{ aString: string }>(ran.stdout).map(({ aString }) => aString.length)).toEqual(
      Array.from({ length: 5 }, () => text.length),
    )
  })

  test('headers go out, by flags and files, and come back under -v with the trailers', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'disco-call-'))
    await writeFile(join(folder, 'headers'), '# comment\nx-b: from a file\n')
    const args = ['-H', 'x-a=1 {{n}}', '-H', `@${join(folder, 'headers')}`, '-H', 'x-c-bin=AP8=']
    const ran = await echo('One', '-v', ...args)
    await rm(folder, { recursive: true })
    expect(ran.code, ran.stderr).toBe(0)
    const expected = ['header x-a: 1 1', 'header x-b: from a file', 'header x-c-bin: AP8=']
    for (const line of [...expected, 'trailer x-a-too: 1 1', 'trailer x-c-too-bin: AP8=']) {
      expect(ran.stderr).toContain(`< ${line}\n`)
    }
    expect(ran.stderr).not.toContain('disco-call')
  })
})

test('plaintext to an address outside of private networks is remarked on, and only there', async () => {
  await put(greeters[0].addr)
  const args = ['call', 'hello', 'SayHello', ...SOON]
  expect((await disco.run(...args)).stderr).not.toContain('Plaintext')
  await put('nobody.invalid:443')
  const { stderr, code } = await disco.run(...args)
  expect(stderr).toContain('! Plaintext to nobody.invalid:443, outside of private networks: --tls encrypts')
  expect(code).toBe(0)
})

describe('what can be called', () => {
  test('is listed for a service without a method, and described for one with --describe', async () => {
    await put(greeters[0].addr)
    expectShape('methods', JSON.parse(await output('--json')))
    expect(await output('-o', 'name')).toBe('helloworld.Greeter/SayHello\n')
    const described = await output('SayHello', '--describe')
    expect(described).toContain('message helloworld.HelloRequest {\n  string name = 1;\n}')
    expect(described).toContain('{\n  "name": ""\n}')
    expectShape('method', JSON.parse(await output('SayHello', '--describe', '--json')))
  })
})

describe('refused with exit 2', () => {
  const refused: [what: string, args: string[], says: string][] = [
    ['an unknown placeholder', ['-d', '{"name":"{{uid}}"}'], 'There is: {{n}}, {{uuid}}, {{now}}'],
    ['more messages than calls', ['-d', '{}\n{}'], 'One call for each: --n 2'],
    ['a line that is no JSON', ['-d', '{}\n{bad\n', '--n', '2'], 'Line 2 of the data is not JSON'],
    ['a header without a key', ['-H', '=x'], 'A header has no valid key'],
    ['standard input for two', ['-H', '@-', '-d', '@-'], 'standard input can be read once'],
    ['data that are a list', ['-d', '[1]'], 'HelloRequest: a message is an object in JSON, {…}'],
    ['a binary header that is no base64', ['-H', 'a-bin=?'], 'is not base64'],
    ['a rate that is none', ['--rate', '0'], '"0" is not a rate'],
    ['a file of data that is not there', ['-d', '@/no/such/file'], 'Cannot read /no/such/file'],
    ['a flag for none of several policies', ['--policy', 'rr,wrr', '--pin', 'x'], '--pin says nothing'],
    ['an unknown one of several policies', ['--policy', 'rr,best'], 'There is no LB policy "best"'],
  ]
  test.each(refused)('%s', async (_what, args, says) => {
    await put(greeters[0].addr)
    const ran: Ran = await disco.run('call', 'hello', 'SayHello', ...args)
    expect(ran).toMatchObject({ code: 2, stdout: '' })
    expect(ran.stderr).toContain(says)
  })
})
