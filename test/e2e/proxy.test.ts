import { Client, credentials, status } from '@grpc/grpc-js'
import { afterEach, expect, it } from 'vitest'
import type { ProxyDoc } from '../../src/cli/proxy/document.js'
import { type Process, until } from '../support/disco.js'
import { putAll } from '../support/etcd-state.js'
import { FourKinds, unary } from '../support/four-kinds.js'
import { expectShape } from '../support/shape.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

it('a proxy spreads the calls of one connection by weight, follows a changed weight, and finishes calls when it ends', async () => {
  const backends = await Promise.all([backend(), backend(), backend()])
  const weights = [1, 1, 8]
  await putAll(
    etcd,
    'hello',
    backends.map(({ addr }, at) => ({ addr, weight: weights[at] ?? 1 })),
  )
  const { proxy, doc, client } = await proxied('hello')
  expect(doc).toMatchObject({
    schema: 'disco.proxy/v1',
    policy: 'weighted_round_robin',
    services: [{ target: 'etcd:///hello', endpoints: 3, ready: 3 }],
  })
  expectShape('proxy', doc)
  for (let call = 0; call < 100; call++) await unary(client)
  expect(backends.map(({ calls }) => calls)).toEqual([10, 10, 80])
  const [first, ...others] = backends
  if (!first) throw new Error('no backend')
  await Promise.all(others.map(({ addr }) => disco.run('weight', 'hello', addr, '0')))
  const before = first.calls
  await until(
    async () => {
      const answers = await Promise.all([1, 2, 3, 4].map(() => unary(client)))
      return answers.every(({ addr }) => addr === first.addr)
    },
    () => 'all calls at the only endpoint with a weight',
  )
  expect(first.calls).toBeGreaterThan(before)
  first.isHoldingBack = true
  const held = unary(client)
  await until(
    () => first.held === 1,
    () => 'the call that is held back',
  )
  proxy.child.kill('SIGTERM')
  await proxy.printed('1 call may finish')
  first.answer()
  expect(await held).toMatchObject({ code: status.OK, addr: first.addr })
  expect(await proxy.exited()).toMatchObject({ code: 0 })
})

it('a proxy ends at the second signal, regardless of open calls', async () => {
  const one = await backend()
  await putAll(etcd, 'hello', [{ addr: one.addr, weight: 1 }])
  const { proxy, client } = await proxied('hello')
  one.isHoldingBack = true
  const held = unary(client)
  await until(
    () => one.held === 1,
    () => 'the call that is held back',
  )
  proxy.child.kill('SIGINT')
  await proxy.printed('may finish')
  proxy.child.kill('SIGINT')
  expect(await proxy.exited()).toMatchObject({ code: 130 })
  expect((await held).code).toBe(status.UNAVAILABLE)
})

it('a proxy reports why it cannot listen', async () => {
  const one = await backend()
  const { code, stderr } = await disco.run('proxy', 'hello', '--listen', one.addr)
  expect(code).toBe(6)
  expect(stderr).toContain(`The proxy cannot listen: port ${one.addr.split(':')[1]} at 127.0.0.1 is taken`)
})

async function backend(): Promise<FourKinds> {
  const started = await FourKinds.start()
  stops.push(() => started.stop())
  return started
}

async function proxied(...args: string[]): Promise<{ proxy: Process; doc: ProxyDoc; client: Client }> {
  const proxy = disco.start('proxy', ...args, '--listen', ':0', '--json')
  await proxy.printed('\n')
  const doc = JSON.parse(proxy.stdout) as ProxyDoc
  const client = new Client(doc.listen, credentials.createInsecure())
  stops.push(() => client.close())
  return { proxy, doc, client }
}
