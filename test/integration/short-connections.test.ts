import { once } from 'node:events'
import { createServer, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Client, connectivityState, credentials, status } from '@grpc/grpc-js'
import { afterEach, expect, it } from 'vitest'
import { until } from '../support/disco.js'
import { unary } from '../support/four-kinds.js'
import { proxies } from '../support/proxied.js'
import { echo, RawBackend } from '../support/raw-backend.js'
import { ScriptedDiscovery } from '../support/scripted-discovery.js'

const started = proxies()

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

it('a server that closes each accepted connection is dialled with pauses, and used once it keeps connections open', async () => {
  const server = createServer()
  const sessions: ServerHttp2Session[] = []
  let isClosing = true
  server.on('session', (session) => {
    sessions.push(session.on('error', () => undefined))
    session.once('remoteSettings', () => {
      if (isClosing) session.close()
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  ScriptedDiscovery.installed().list({ addr: `127.0.0.1:${(server.address() as AddressInfo).port}` })
  const client = new Client('etcd:///hello', credentials.createInsecure())
  stops.push(
    () => client.close(),
    () => {
      for (const session of sessions) session.destroy()
      server.close()
    },
  )
  client.getChannel().getConnectivityState(true)
  await until(
    () => sessions.length >= 4,
    () => 'connections that end soon',
  )
  await delay(500)
  // Without pauses, there would be several hundred connections.
  expect(sessions.length).toBeLessThan(20)
  isClosing = false
  const before = sessions.length
  await until(
    () =>
      sessions.length > before && client.getChannel().getConnectivityState(false) === connectivityState.READY,
    () => 'a connection that stays',
  )
})

it.each(['a client of the library', 'the proxy'])(
  'a server that closes each connection after one answered call is dialled by %s without pauses',
  async (caller) => {
    const server = await RawBackend.start((stream) => {
      echo(stream)
      stream.session?.close()
    })
    stops.push(() => server[Symbol.asyncDispose]())
    const codes: (status | undefined)[] = []
    const client =
      caller === 'the proxy' ? (await started([{ addr: server.addr }])).client() : clientOf(server)
    for (let call = 0; call < 12; call++) codes.push((await unary(client)).code)
    expect(codes).toEqual(codes.map(() => status.OK))
    expect(server.sessions.length).toBeGreaterThanOrEqual(codes.length)
  },
)

function clientOf({ addr }: RawBackend): Client {
  ScriptedDiscovery.installed().list({ addr })
  const client = new Client('etcd:///hello', credentials.createInsecure())
  stops.push(() => client.close())
  return client
}
