import { describe, expect, test } from 'vitest'
import type { CallDoc, ComparisonDoc } from '../../src/cli/call/document.js'
import { startGreeter } from '../../src/dev/greeter.js'
import { ALL_READY, callsOfHello, FROM_PROTO, lines, SOON } from '../support/calls-of-hello.js'
import type { Ran } from '../support/disco.js'
import { hundredGreeters } from '../support/greeters.js'
import { expectShape } from '../support/shape.js'
import { temporaryFile } from '../support/temporary-file.js'

const hello = await callsOfHello()
const hundred = await hundredGreeters()

describe('a run with several policies', () => {
  test('makes the same calls under each policy in turn, and compares them', async () => {
    await hundred.registerSteady(hello.etcd)
    const args = ['SayHello', ...ALL_READY, '--n', '300', '--policy', 'rr,wrr']
    const [json, table] = await Promise.all([
      hello.output(...args, '--json'),
      hello.output(...args.with(-1, 'rr,wrr,least_request')),
    ])
    const doc = JSON.parse(json) as ComparisonDoc
    expect(doc).toMatchObject({ schema: 'disco.comparison/v1', service: 'hello' })
    expectShape('comparison', { ...doc, runs: [] })
    const addrs = hundred.all.map(({ addr }) => addr)
    const picks = doc.runs.map((run) => [
      run.policy,
      addrs.map((addr) => run.endpoints.find((own) => own.addr === addr)?.picks),
    ])
    expect(picks).toEqual([
      ['round_robin', addrs.map(() => 3)],
      ['weighted_round_robin', hundred.weights],
    ])
    expect(table).toMatch(/^least_request .* NOT JUDGED$/m)
    expect(table).toContain('round_robin against weighted_round_robin')
    const heaviest = addrs[hundred.weights.indexOf(5)]
    expect(table).toMatch(new RegExp(`${heaviest} +1\\.0% +1\\.7%`))
  }, 120_000)
})

describe('assertions', () => {
  test('that fail exit with 8; all assertions are listed', async () => {
    await hundred.register(hello.etcd)
    const ran = await hello.run('--n', '300', '--assert', 'max<0.001ms,skew<5%')
    expect(ran.code).toBe(8)
    expect(ran.stdout).toMatch(/^✗ max<0\.001ms: it is [\d.]+ms$/m)
    expect(ran.stdout).toMatch(/^✓ skew<5%: it is [01]\.\d%$/m)
  })

  test('about errors replace the exit code for failed calls', async () => {
    const failing = await startGreeter({ port: 0, errorFraction: 1 })
    try {
      await Promise.all([hundred.register(hello.etcd), hello.put(failing.addr, { weight: 100 })])
      const asserted = [[], ['--assert', 'errors<=50%'], ['--assert', 'errors<10%']]
      const runs = await Promise.all(asserted.map((args) => hello.run('--n', '40', ...args)))
      expect(
        runs.map(({ code }) => code),
        runs.map(({ stderr }) => stderr).join('\n'),
      ).toEqual([7, 0, 8])
    } finally {
      failing.stop()
    }
  })

  test.each(['table', 'ndjson', 'name'])(
    'about a single call are printed on standard error beside -o %s',
    async (format) => {
      await hundred.register(hello.etcd)
      const ran = await hello.run('-o', format, '--assert', 'p99<1m,max<1m,errors<=0%')
      expect(ran.code).toBe(8)
      expect(ran.stderr).toMatch(/^✗ p99<1m: too few calls$/m)
      expect(ran.stderr).toMatch(/^✓ max<1m: it is [\d.]+ms$/m)
      expect(ran.stdout).not.toContain('<1m')
    },
  )

  test('fail if a run has too few calls for their measure', async () => {
    await hundred.register(hello.etcd)
    const ran = await hello.run('--n', '5', '--assert', 'p99<1m')
    expect(ran.code).toBe(8)
    expect(ran.stdout).toContain('✗ p99<1m: too few calls')
  })
})

describe('failed calls', () => {
  test('are counted by status, and the first is shown with its endpoint and reason', async () => {
    await hundred.register(hello.etcd)
    const args = ['call', 'hello', 'One', ...FROM_PROTO, ...SOON, '--n', '10']
    const [table, json] = await Promise.all([hello.disco.run(...args), hello.disco.run(...args, '--json')])
    expect([table.code, json.code]).toEqual([7, 7])
    expect(table.stdout).toMatch(/10 calls, 0 OK, 10 UNIMPLEMENTED/)
    const why = 'The server does not implement the method /everything.Echo/One'
    const { firstFailure, endpoints } = JSON.parse(json.stdout) as CallDoc
    expect(firstFailure).toMatchObject({ n: 1, status: 'UNIMPLEMENTED', details: why })
    expect(endpoints.find(({ addr }) => addr === firstFailure?.addr)).toMatchObject({ picks: 1, errors: 1 })
    expect(table.stdout).toMatch(/^✗ first failure: call 1 at 127\.0\.0\.1:\d+: UNIMPLEMENTED: /m)
    expect(table.stdout).toContain(why)
  })

  test.each(['table', 'json', 'ndjson'])(
    'because of an invalid reply show that reason: %s',
    async (format) => {
      await using file = await temporaryFile(
        'other.proto',
        `syntax = "proto3"; package helloworld; message HelloRequest {} message Part { int32 a = 1; }
      message HelloReply { Part message = 1; }
      service Greeter { rpc SayHello (HelloRequest) returns (HelloReply); }`,
      )
      await hundred.register(hello.etcd)
      const ran = await hello.run('--proto', file.path, '-o', format)
      expect(ran.code, ran.stderr).toBe(7)
      expect(ran.stdout + ran.stderr).toContain('The reply is not a valid helloworld.HelloReply')
      expect(ran.stdout + ran.stderr).toContain('another version of the .proto')
      expect(ran.stderr).not.toContain('    at ')
    },
  )
})

describe('a service config', () => {
  async function configured(config: object, ...args: string[]): Promise<Ran> {
    await using file = await temporaryFile('config.json', JSON.stringify(config))
    return await hello.run('--service-config', file.path, ...args)
  }
  const retrying = (maxAttempts: unknown) => ({
    name: [{}],
    retryPolicy: {
      maxAttempts,
      initialBackoff: '0.001s',
      maxBackoff: '0.01s',
      backoffMultiplier: 1,
      retryableStatusCodes: ['UNAVAILABLE'],
    },
  })

  test('causes retries, which are counted separately and do not affect shares and verdict', async () => {
    const failing = await startGreeter({ port: 0, errorFraction: 1 })
    try {
      await Promise.all([hundred.register(hello.etcd), hello.put(failing.addr, { weight: 100 })])
      const config = { methodConfig: [retrying(5)], loadBalancingConfig: [{ pick_first: {} }] }
      const ran = await configured(config, '--n', '800', '--json')
      expect(ran.code, ran.stderr).toBe(0)
      expect(ran.stderr).toContain('--policy decides')
      const doc = JSON.parse(ran.stdout) as CallDoc
      expect(doc).toMatchObject({ calls: 800, ok: 800, failures: {}, verdict: { result: 'pass' } })
      expect(doc.attempts).toBeGreaterThan(800)
      expect(doc.endpoints.reduce((sum, { picks }) => sum + picks, 0)).toBe(800)
      expect(doc.endpoints.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(doc.attempts)
    } finally {
      failing.stop()
    }
  })

  test('that grpc-js rejects is a usage error with the reason', async () => {
    await hundred.register(hello.etcd)
    const ran = await configured({ methodConfig: [retrying('many')] })
    expect(ran).toMatchObject({ code: 2, stdout: '' })
    expect(ran.stderr).toContain('maxAttempts must be an integer')
  })
})

test('call -o ndjson prints the verdict, and the reason for the exit code, on standard error', async () => {
  await hundred.register(hello.etcd)
  const ran = await hello.run('--n', '600', '-o', 'ndjson', '--assert', 'max<0.001ms')
  expect(ran.code).toBe(8)
  expect(lines(ran.stdout)).toHaveLength(600)
  expect(ran.stderr).toMatch(/^PASS, but .* unserved: .*\n.*600 calls, 600 OK.*\n✗ max<0\.001ms: it is /)
})
