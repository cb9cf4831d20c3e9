import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ProxyDoc } from '../../src/cli/proxy/document.js'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { registration, storedWeight } from '../support/etcd-state.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()

let one: Greeter
let two: Greeter

beforeAll(async () => {
  ;[one, two] = await Promise.all([startGreeter({ port: 0 }), startGreeter({ port: 0 })])
})
afterAll(() => {
  one.stop()
  two.stop()
})
beforeEach(async () => {
  await etcd.ctl('put', ...registration('hello', one.addr, { version: '1.0.0', weight: 2 }))
  await etcd.ctl('put', ...registration('hello', two.addr, { version: '2.0.0', weight: 3 }))
})

/** A target that selects version 2.0.0, in every command with a TARGET. */
const TARGET = 'etcd://2.0.0/hello'

/** All addresses in a document of any shape. */
function addressesIn(doc: unknown): Set<string> {
  const found = JSON.stringify(doc).match(/127\.0\.0\.1:\d+/g) ?? []
  return new Set(found)
}

test.each([
  [['ls', TARGET]],
  [['resolve', TARGET]],
  [['pick', TARGET, '--n', '10']],
  [['health', TARGET]],
  [['call', TARGET, 'SayHello', '--n', '4']],
  [['weight', TARGET, '9', '--yes', '--dry-run']],
  [['drain', TARGET, '--yes', '--dry-run']],
  [['unregister', TARGET, '--yes', '--dry-run']],
])('%j reads only endpoints of the version in its target', async (args) => {
  const ran = await tool.run(...args, '--json')
  expect({ code: ran.code, stderr: ran.stderr }).toMatchObject({ code: 0 })
  expect(addressesIn(JSON.parse(ran.stdout))).toEqual(new Set([two.addr]))
})

test('a single call is sent to the version in its target', async () => {
  for (let call = 0; call < 3; call++) {
    const { code, stderr } = await tool.run('call', TARGET, 'SayHello')
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining(two.addr) as string })
  }
})

test('wait counts endpoints of the version in its target', async () => {
  const wait = (count: number) =>
    tool.run('wait', TARGET, '--for', `endpoints==${count}`, '--for', 'ready>=1', '--timeout', '0')
  expect((await wait(1)).code).toBe(0)
  expect((await wait(2)).code).toBe(5)
})

test.each([
  [['weight', TARGET, '9', '--yes'], 9],
  [['drain', TARGET, '--grace', '0', '--yes'], null],
  [['unregister', TARGET, '--yes'], null],
])('%j changes the version in its target, and refuses an address of another version', async (args, after) => {
  const [command = '', , ...others] = args
  const refused = await tool.run(command, TARGET, one.addr, ...others.filter((word) => word !== '--yes'))
  // Unregister is idempotent: an endpoint that is not registered is not an error.
  expect(refused.code).toBe(command === 'unregister' ? 0 : 4)
  expect(await storedWeight(etcd, `/hello/1.0.0/${one.addr}`)).toBe(2)
  expect(await tool.run(...args)).toMatchObject({ code: 0 })
  expect(await storedWeight(etcd, `/hello/1.0.0/${one.addr}`)).toBe(2)
  expect(await storedWeight(etcd, `/hello/2.0.0/${two.addr}`)).toBe(after)
})

test('watch and proxy select the version in their target', async () => {
  const watch = disco.start('watch', TARGET)
  await watch.printed('"type":"synced"')
  const proxy = disco.start('proxy', TARGET, '--listen', ':0', '--json')
  await proxy.printed('\n')
  const { listen } = JSON.parse(proxy.stdout) as ProxyDoc
  const before = [one.calls(), two.calls()]
  const called = await tool.run('call', listen, 'SayHello', '--n', '6')
  expect(called.code, called.stderr).toBe(0)
  expect([one.calls(), two.calls()]).toEqual([before[0], (before[1] ?? 0) + 6])
  await etcd.ctl('put', ...registration('hello', one.addr, { version: '1.0.0', weight: 5 }))
  await etcd.ctl('put', ...registration('hello', two.addr, { version: '2.0.0', weight: 5 }))
  await watch.printed('"type":"weight"')
  const addrs = watch.events().flatMap(({ addr }) => (addr === undefined ? [] : [addr]))
  expect(new Set(addrs)).toEqual(new Set([two.addr]))
})

test('register writes the version in its target', async () => {
  const held = disco.start('register', 'etcd://3.0.0/hello', '127.0.0.1:9')
  await held.printed('"type":"added"')
  expect(await storedWeight(etcd, '/hello/3.0.0/127.0.0.1:9')).toBe(1)
})
