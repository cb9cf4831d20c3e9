import { Client, credentials } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ProxyDoc } from '../../src/cli/proxy/document.js'
import { putAll } from '../support/etcd-state.js'
import { FourKinds, unary } from '../support/four-kinds.js'
import { toolOnOwnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnOwnEtcd()

let backend: FourKinds
beforeAll(async () => {
  backend = await FourKinds.start()
})
afterAll(() => backend.stop())

it('a proxy serves the last list while etcd is unavailable, and the cached list if etcd is unavailable at its start', async () => {
  const service = `outage-${process.pid}-${Date.now()}`
  await putAll(etcd, service, [{ addr: backend.addr }])
  const before = await start(service)
  await etcd.kill()
  await before.proxy.printed('using the last list')
  expect(await answerOf(before.doc)).toBe(backend.addr)
  // The proxy has written its last list to the cache when it exits.
  before.proxy.child.kill('SIGTERM')
  await before.proxy.exited()
  const after = await start(service)
  expect(after.doc.services).toMatchObject([{ endpoints: 1, ready: 1 }])
  expect(after.proxy.stderr).toContain('using the last list from the cache')
  expect(await answerOf(after.doc)).toBe(backend.addr)
  await etcd.restart()
})

async function start(service: string) {
  const proxy = disco.start('proxy', service, '--listen', ':0', '--json')
  await proxy.printed('disco.proxy/v1')
  return { proxy, doc: JSON.parse(proxy.stdout) as ProxyDoc }
}

async function answerOf({ listen }: ProxyDoc): Promise<string> {
  const client = new Client(listen, credentials.createInsecure())
  const { addr } = await unary(client)
  client.close()
  return addr
}
