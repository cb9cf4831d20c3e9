import { describe, expect, test } from 'vitest'
import type { ComparisonDoc } from '../../src/cli/call/document.js'
import { ALL_READY, callsOfHello, lines } from '../support/calls-of-hello.js'
import { hundredGreeters } from '../support/greeters.js'
import { expectShape } from '../support/shape.js'

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
  test('fail if a run has too few calls for their measure', async () => {
    await hundred.register(hello.etcd)
    const ran = await hello.run('--n', '5', '--assert', 'p99<1m')
    expect(ran.code).toBe(8)
    expect(ran.stdout).toContain('✗ p99<1m: too few calls')
  })
})

test('call -o ndjson prints the verdict, and the reason for the exit code, on standard error', async () => {
  await hundred.register(hello.etcd)
  const ran = await hello.run('--n', '600', '-o', 'ndjson', '--assert', 'max<0.001ms')
  expect(ran.code).toBe(8)
  expect(lines(ran.stdout)).toHaveLength(600)
  expect(ran.stderr).toMatch(/^PASS, but .* unserved: .*\n.*600 calls, 600 OK.*\n✗ max<0\.001ms: it is /)
})
