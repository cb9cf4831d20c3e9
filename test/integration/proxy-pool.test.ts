import { once } from 'node:events'
import { createServer, type ServerHttp2Session } from 'node:http2'
import { type AddressInfo, connect, createServer as createTcp, type Socket } from 'node:net'
import type { Client } from '@grpc/grpc-js'
import { afterEach, expect, it } from 'vitest'
import { until } from '../support/disco.js'
import { proxies } from '../support/proxied.js'

const started = proxies()

const PER_CONNECTION = 5
const CALLS = 4 * PER_CONNECTION

const stops: (() => unknown)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

it('the pool opens as many connections as simultaneous long calls need', async () => {
  const backend = await limitedBackend()
  const proxied = await started([{ addr: backend.addr }])
  startCalls(proxied.client(), CALLS)
  await until(
    () => backend.streams === CALLS,
    () => `all calls at the backend: ${backend.streams} of ${CALLS}`,
  )
  expect(backend.sessions.length).toBe(CALLS / PER_CONNECTION)
})

it('the pool dials again for waiting calls after another connection has failed', async () => {
  const backend = await limitedBackend()
  const link = await refusableLink(backend.addr)
  const proxied = await started([{ addr: link.addr }])
  const client = proxied.client()
  startCalls(client, PER_CONNECTION)
  await until(
    () => backend.streams === PER_CONNECTION,
    () => 'a full connection',
  )
  link.isRefusing = true
  startCalls(client, CALLS - PER_CONNECTION)
  await until(
    () => link.refused > 0,
    () => 'a failed connection',
  )
  link.isRefusing = false
  await until(
    () => backend.streams === CALLS,
    () => `all calls at the backend: ${backend.streams} of ${CALLS}`,
  )
})

function startCalls(client: Client, count: number): void {
  const same = (bytes: Buffer) => bytes
  for (let call = 0; call < count; call++)
    client.makeServerStreamRequest('/a.B/Watch', same, same, Buffer.alloc(0)).on('error', () => undefined)
}

/** A server that allows few concurrent streams per connection, and never ends them. */
async function limitedBackend() {
  const server = createServer({ settings: { maxConcurrentStreams: PER_CONNECTION } })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const sessions: ServerHttp2Session[] = []
  const backend = { addr: addressOf(server.address()), sessions, streams: 0 }
  server.on('session', (session) => sessions.push(session.on('error', () => undefined)))
  server.on('stream', (stream) => {
    backend.streams++
    stream.on('error', () => undefined)
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
  })
  stops.push(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  return backend
}

/** Forwards connections to the backend, or closes them immediately. */
async function refusableLink(to: string) {
  const sockets: Socket[] = []
  const link = { addr: '', isRefusing: false, refused: 0 }
  const server = createTcp((socket) => {
    sockets.push(socket.on('error', () => undefined))
    if (link.isRefusing) {
      link.refused++
      socket.destroy()
      return
    }
    const onward = connect(Number(to.split(':')[1]), '127.0.0.1').on('error', () => undefined)
    sockets.push(onward)
    socket.pipe(onward).pipe(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  link.addr = addressOf(server.address())
  stops.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return link
}

function addressOf(address: ReturnType<ReturnType<typeof createTcp>['address']>): string {
  return `127.0.0.1:${(address as AddressInfo).port}`
}
