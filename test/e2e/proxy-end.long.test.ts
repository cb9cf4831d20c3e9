import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client, credentials, status } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ProxyDoc } from '../../src/cli/proxy/document.js'
import { pythonWithGrpc } from '../support/c-core.js'
import { type Process, until } from '../support/disco.js'
import { putAll, registration } from '../support/etcd-state.js'
import { etcdctl } from '../support/etcdctl.js'
import { chat, ended, FourKinds, unary } from '../support/four-kinds.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

const SHUT_DOWN = { code: status.UNAVAILABLE, details: 'The proxy shut down before the call ended' }

let backend: FourKinds
const clients: Client[] = []
beforeEach(async () => {
  backend = await FourKinds.start()
  await putAll(etcd, 'hello', [{ addr: backend.addr }])
})
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
  backend.stop()
})

it.each([
  ['--drain 0', ['--drain', '0'], 1],
  ['a second signal', ['--drain', '10m'], 2],
])(
  '%s ends open calls with UNAVAILABLE, for grpc-js and for C-core clients',
  async (_, flags, signals) => {
    const proxy = disco.start('proxy', 'hello', '--listen', ':0', '--json', ...flags)
    await proxy.printed('disco.proxy/v1')
    const { listen } = JSON.parse(proxy.stdout) as ProxyDoc
    backend.isHoldingBack = true
    const ends = openCalls(clientOf(listen))
    const byCCore = openByCCore(listen)
    await byCCore.opened
    await until(
      () => backend.held === 2 && backend.open === 4,
      () => 'the calls of both clients at the backend',
    )
    const { code } = await ending(proxy, signals)
    expect(code).toBe(signals === 1 ? 0 : 130)
    for (const end of await ends) expect(end).toMatchObject(SHUT_DOWN)
    const seen = ['UNAVAILABLE', SHUT_DOWN.details]
    expect(await byCCore.ends).toEqual({ unary: seen, before: seen, after: seen })
  },
  60_000,
)

it('the end of dev --proxy ends open calls with UNAVAILABLE', async () => {
  const dev = disco.start('dev', '--port', '0', '--backends', '0', '--proxy-port', '0', '--json')
  await dev.printed('disco.dev/v1')
  const { proxy, endpoint } = JSON.parse(dev.stdout) as { proxy: string; endpoint: string }
  await etcdctl(endpoint, ['put', ...registration('hello', backend.addr, { weight: 1 })])
  const client = clientOf(proxy)
  await until(
    async () => (await unary(client)).addr === backend.addr,
    () => 'the proxy to follow',
  )
  backend.isHoldingBack = true
  const ends = openCalls(client)
  await until(
    () => backend.held === 1 && backend.open === 2,
    () => 'the calls at the backend',
  )
  expect((await dev.end('SIGTERM')).code).toBe(0)
  for (const end of await ends) expect(end).toMatchObject(SHUT_DOWN)
}, 60_000)

function clientOf(listen: string): Client {
  const client = new Client(listen, credentials.createInsecure())
  clients.push(client)
  return client
}

/** Opens a unary call, a stream before its headers, and a stream after its first reply. */
async function openCalls(client: Client): Promise<readonly { code: status; details: string }[]> {
  const before = chat(client)
  const after = chat(client)
  const ends = [unary(client), ended(before), ended(after)]
  for (const talk of [before, after]) talk.on('error', () => undefined).resume()
  after.write(Buffer.from('hello'))
  await once(after, 'data')
  return await Promise.all(ends)
}

function openByCCore(listen: string) {
  const { python, env } = pythonWithGrpc()
  const script = fileURLToPath(new URL('../support/c-core-ends.py', import.meta.url))
  const child = spawn(python, [script, listen, '/test.Kinds/'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const opened = lines.next()
  const ends = opened.then(async () => {
    const { value } = await lines.next()
    return JSON.parse(value) as unknown
  })
  return { opened, ends }
}

/** Stops the proxy with one or two signals. */
async function ending(proxy: Process, signals: number) {
  if (signals === 2) {
    proxy.child.kill('SIGTERM')
    await proxy.printed('no new calls')
  }
  return await proxy.end('SIGTERM')
}
