import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { ComparisonDoc } from '../../src/cli/call/document.js'
import { startGreeter } from '../../src/dev/greeter.js'
import { callsOfHello, ENDLESS, interrupted, SOON } from '../support/calls-of-hello.js'
import { wipe } from '../support/etcd-state.js'
import { hundredGreeters, untilCalled } from '../support/greeters.js'
import { compiled, ReflectingServer } from '../support/reflecting-server.js'
import { expectShape } from '../support/shape.js'

const hello = await callsOfHello()
const hundred = await hundredGreeters()

describe('a run', () => {
  test('that is interrupted cancels outstanding calls, and reports them', async () => {
    const mute = await startGreeter({ port: 0, latencyMs: 600_000 })
    try {
      await Promise.all([hundred.register(hello.etcd), hello.put(mute.addr, { weight: 50 })])
      const running = hello.startRun('--json', '-c', '3', '--deadline', '10m')
      await untilCalled(mute, 3)
      const doc = await interrupted(running)
      expect(doc).toMatchObject({ interrupted: true, calls: doc.ok + 3, failures: { CANCELLED: 3 } })
    } finally {
      mute.stop()
    }
  })

  test('shows its progress on a terminal in one line, which it clears at the end', async () => {
    await hundred.register(hello.etcd)
    const running = hello.disco.onTerminal(120, 30, 'call', 'hello', 'SayHello', ...SOON, ...ENDLESS)
    await running.printed(/\d+ calls {2}\d+\/s {2}p50 /, 2)
    const { stdout } = await running.pressCtrlC()
    expect(stdout).toContain('(interrupted)')
    expect(stdout.slice(stdout.indexOf('ENDPOINT'))).not.toContain('/s  p50 ')
  })
})

test('that compares policies and is interrupted prints a comparison of the finished runs', async () => {
  await hundred.register(hello.etcd)
  const running = hello.startRun('--json', '--policy', 'rr,wrr')
  await untilCalled(hundred, 200)
  const { stdout, code } = await running.end('SIGINT')
  expect(code).toBe(130)
  const doc = JSON.parse(stdout) as ComparisonDoc
  expect(doc.schema).toBe('disco.comparison/v1')
  expectShape('comparison', { ...doc, runs: [] })
  expect(doc.runs).toMatchObject([{ policy: 'round_robin', interrupted: true }])
})

/** A port that accepts connections and never sends a byte. */
async function mutePort(): Promise<AsyncDisposable & { readonly addr: string }> {
  const server = createServer(() => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    addr: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.close()
    },
  }
}

test('Ctrl-C before the first call ends the command at once with exit code 130, and clears the progress line', async () => {
  // The first server never answers reflection. The second never becomes READY.
  const files = compiled({
    'a.proto': 'syntax = "proto3"; message A {} service S { rpc Do (A) returns (A); }',
  })
  await using silent = await new ReflectingServer({ files, services: ['S'], holdsBack: 1_000 }).start()
  await using mute = await mutePort()
  const stages: [addr: string, shows: string, message: string][] = [
    [silent.addr, 'asking hello for its methods', 'Interrupted while a server was asked for its methods'],
    [mute.addr, 'connecting to hello: 0/1 ready', 'Interrupted before the first call'],
  ]
  for (const [addr, shows, message] of stages) {
    await wipe(hello.etcd)
    await hello.put(addr)
    for (const args of [['Do'], ['Do', '--describe']]) {
      const running = hello.disco.onTerminal(120, 30, 'call', 'hello', ...args, '--connect-deadline', '10m')
      await running.printed(shows)
      const { code, stdout } = await running.pressCtrlC()
      expect(code, stdout).toBe(130)
      expect(stdout).toContain(message)
      // The progress line is cleared before the error is printed.
      expect(stdout.lastIndexOf('\u001b[')).toBeGreaterThan(stdout.lastIndexOf(shows))
    }
  }
})
