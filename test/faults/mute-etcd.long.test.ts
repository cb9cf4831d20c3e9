import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Disco, until } from '../support/disco.js'

/** An etcd that accepts connections and never answers. */
let mute: Server
let disco: Disco
const sockets = new Set<Socket>()

beforeAll(async () => {
  mute = createServer((socket) => {
    sockets.add(socket)
    socket.resume().on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  }).listen(0, '127.0.0.1')
  await once(mute, 'listening')
  disco = new Disco(`127.0.0.1:${(mute.address() as AddressInfo).port}`)
})
afterEach(async () => {
  await disco.stopAll()
  await until(
    () => sockets.size === 0,
    () => 'a connection was not closed',
  )
})
afterAll(() => {
  for (const socket of sockets) socket.destroy()
  mute.close()
})

test.each([
  'ls hello',
  'ls --probe hello',
  'watch hello',
  'health hello',
  'health hello --watch',
  'wait hello --for ready>=1 --timeout 10m',
  'call hello SayHello',
  'resolve hello',
  'pick hello',
  'doctor hello',
  'shift hello version=1=10% --yes',
])('Ctrl-C ends disco %s while etcd does not answer', async (line) => {
  // Longer than a test may take: only the signal can end the command.
  const running = disco.start(...line.split(' '), '--command-timeout', '10m')
  await until(
    () => sockets.size > 0,
    () => 'nothing has connected',
  )
  const { code } = await running.end('SIGINT')
  // The exit code is null if the process was killed by the signal itself.
  expect([130, null]).toContain(code)
  expect(running.stderr).not.toMatch(/^\s+at /m)
})
