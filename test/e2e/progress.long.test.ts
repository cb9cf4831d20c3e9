import { afterEach, describe, expect, test } from 'vitest'
import { startGreeter } from '../../src/dev/greeter.js'
import { type Listening, startSwallowing } from '../support/dead-endpoints.js'
import { Screen } from '../support/emulator.js'
import { putAll, registration } from '../support/etcd-state.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'
import { Writer } from '../support/writer.js'

const { etcd, disco } = await toolOnEtcd()
const dumb = disco.with({ env: { TERM: 'dumb' } })

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

/** Registers one endpoint that answers, and one that never does. */
async function putOneOfTwo(): Promise<void> {
  const greeter = await startGreeter({ port: 0 })
  const silent: Listening = await startSwallowing()
  stops.push(() => greeter.stop(), silent.close)
  await putAll(etcd, 'hello', [{ addr: greeter.addr }, { addr: silent.addr }])
}

const PROBING: readonly (readonly [words: readonly string[], last: string])[] = [
  [['health', 'hello'], '1 of 2 endpoints healthy'],
  [['ls', 'hello', '--probe'], 'no answer in 2000 ms'],
  [['doctor', 'hello'], 'error'],
]

describe('a slow command shows one progress line', () => {
  test.each(PROBING)('with the number of probed servers: %j', async (words, last) => {
    await putOneOfTwo()
    const asking = disco.onTerminal(120, 24, ...words)
    const screen = new Screen(asking, 120, 24)
    await screen.shows(/prob.*: 1 of 2/)
    await asking.exited()
    const left = await screen.text()
    expect(left).not.toMatch(/1 of 2 servers|probing servers/)
    expect(left).toContain(last)
    for (const piped of [disco.start(...words), disco.start(...words, '-o', 'json')]) {
      const { stdout, stderr } = await piped.exited()
      expect(stdout + stderr).not.toMatch(/[\r\u001b]|prob\w* *:/)
    }
    const { stdout } = await dumb.onTerminal(120, 24, ...words).exited()
    expect(stdout).not.toMatch(/\u001b|of 2 servers|probing servers/)
  })

  test('with the pages and keys of a list that etcd is still sending', async () => {
    using writer = new Writer(etcd.endpoint, 'hello')
    await writer.fill(12_000)
    await using relay = await FaultProxy.start(etcd.endpoint)
    // More than the first page of values, less than all.
    relay.holdAfter('toClient', 1_100_000)
    const own = ['--endpoints', relay.endpoint, '--command-timeout', '60s']
    const listing = disco.onTerminal(120, 24, 'ls', 'hello', ...own)
    const screen = new Screen(listing, 120, 24)
    await screen.shows(/reading etcd at .*: \d pages?, \d+ keys so far…/)
    await relay.heal()
    expect((await listing.exited()).code).toBe(0)
    expect(await screen.text()).not.toContain('so far')
  })

  test('while etcd or an endpoint has not answered', async () => {
    await putOneOfTwo()
    await using relay = await FaultProxy.start(etcd.endpoint)
    relay.holdAfter('toClient', 0)
    const own = ['--endpoints', relay.endpoint, '--command-timeout', '60s']
    const listing = disco.onTerminal(120, 24, 'ls', ...own)
    await new Screen(listing, 120, 24).shows('asking etcd at')
    await listing.pressCtrlC()
    const calling = disco.onTerminal(120, 24, 'call', 'hello', 'SayHello', '--n', '10')
    await new Screen(calling, 120, 24).shows('connecting to hello: 1/2 ready…')
    await calling.pressCtrlC()
  })
})

describe('wait', () => {
  test('shows on a terminal the current state of its condition, and leaves only the outcome', async () => {
    await etcd.ctl('put', ...registration('hello', '10.0.0.1:1'))
    const waiting = disco.onTerminal(80, 24, 'wait', 'hello', '--for', 'endpoints>=3')
    const screen = new Screen(waiting, 80, 24)
    await screen.shows(/now: endpoints 1; \d+s left/)
    await etcd.ctl('put', ...registration('hello', '10.0.0.1:2'))
    const lines = await screen.shows(/now: endpoints 2; \d+s left/)
    expect(lines.filter((line) => line.includes('now:'))).toHaveLength(1)
    await etcd.ctl('put', ...registration('hello', '10.0.0.1:3'))
    expect((await waiting.exited()).code).toBe(0)
    const left = await screen.text()
    expect(left).toMatch(/→ waiting for hello: endpoints>=3 .*\n✓ hello: endpoints>=3 after/)
    expect(left).not.toContain('now:')
  })

  test('prints a line for each change if lines cannot be repainted', async () => {
    const words = ['wait', 'hello', '--for', 'endpoints>=1', '--timeout', '0']
    const onDumb = await dumb.onTerminal(80, 24, ...words).exited()
    expect(onDumb.stdout).toContain('  now: endpoints 0')
    expect(onDumb.stdout).not.toContain('\u001b')
    expect((await disco.run(...words)).stderr).toContain('  now: endpoints 0\n')
  })
})

test('watch prints plain lines on a terminal that cannot move its cursor', async () => {
  await etcd.ctl('put', ...registration('hello', '10.0.0.1:1'))
  const watch = dumb.onTerminal(80, 24, 'watch', 'hello')
  await watch.printed('synced   1 endpoint')
  await etcd.ctl('put', ...registration('hello', '10.0.0.1:2'))
  await watch.printed('+ added')
  expect((await watch.pressCtrlC()).stdout).not.toContain('\u001b')
})

test('xds does not print a number of services before the first list', async () => {
  const xds = disco.start('xds', '--listen', ':0', '--endpoints', '127.0.0.1:1')
  await xds.printed('Ctrl-C')
  expect(xds.stderr).toMatch(/! xDS on \S+: no endpoints are known yet of all services\n/)
  expect(xds.stderr).not.toContain('0 services')
  expect(await xds.end('SIGINT')).toMatchObject({ code: 0 })
})

test.each(['drain', 'weight', 'unregister'])('%s shows that it waits for etcd', async (command) => {
  await putOneOfTwo()
  await using relay = await FaultProxy.start(etcd.endpoint)
  relay.holdAfter('toClient', 0)
  const words = [command, 'hello', '127.0.0.1:1', ...(command === 'weight' ? ['5'] : [])]
  const own = ['--endpoints', relay.endpoint, '--command-timeout', '5s']
  const changing = disco.onTerminal(120, 24, ...words, ...own)
  await new Screen(changing, 120, 24).shows('asking etcd at')
  expect((await changing.exited()).code).toBe(3)
})
