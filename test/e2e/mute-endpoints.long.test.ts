import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { type Process, until } from '../support/disco.js'
import { putAll } from '../support/etcd-state.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

/** More endpoints than can be probed in a minute, because each probe lasts until its deadline. */
const COUNT = 5_000
/** The maximum number of operations in an etcd transaction. */
const AT_ONCE = 128

const sockets = new Set<Socket>()
const server = createServer((socket) => {
  sockets.add(socket)
  socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
}).listen(0, '0.0.0.0')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
afterAll(() => {
  server.close()
  for (const socket of sockets) socket.destroy()
})

/** All of 127.0.0.0/8 is this machine, so one server answers at thousands of addresses. */
const mute = Array.from({ length: COUNT }, (_, at) => ({ addr: `127.1.${at >> 8}.${at & 255}:${port}` }))

beforeEach(async () => {
  for (let at = 0; at < COUNT; at += AT_ONCE) await putAll(etcd, 'hello', mute.slice(at, at + AT_ONCE))
})

async function untilEnded(running: Process): Promise<number | null> {
  let code: number | null | undefined
  void running.exited().then((ran) => {
    code = ran.code
  })
  await until(
    () => code !== undefined,
    () => 'the end of the tool',
  )
  return code ?? null
}

test('thousands of endpoints that do not answer delay neither the timeout of wait nor Ctrl-C', async () => {
  const waiting = disco.start('wait', 'hello', '--for', 'healthy==0', '--timeout', '1s')
  // Most endpoints were not probed yet, so it is not known whether none is healthy.
  expect(await untilEnded(waiting)).toBe(5)
  expect(waiting.stderr).toContain('hello does not meet healthy==0 after 1s')
  for (const command of [
    ['health'],
    ['wait', '--for', 'healthy>=1'],
    ['ls', '--probe'],
    ['health', '--watch'],
  ]) {
    const [name = '', ...flags] = command
    sockets.clear()
    const asking = disco.start(name, 'hello', ...flags)
    await until(
      () => sockets.size > 0,
      () => `${name} to ask`,
    )
    asking.child.kill('SIGINT')
    const code = await untilEnded(asking)
    expect(code ?? asking.child.signalCode, name).toBeOneOf([130, 'SIGINT'])
  }
})
