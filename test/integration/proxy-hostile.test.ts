import {
  type ClientHttp2Session,
  connect as connectHttp2,
  constants,
  type ServerHttp2Stream,
} from 'node:http2'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import { afterEach, expect, it } from 'vitest'
import { until } from '../support/disco.js'
import { unary } from '../support/four-kinds.js'
import { FrameBackend } from '../support/frame-backend.js'
import { proxies } from '../support/proxied.js'
import { echo, RawBackend } from '../support/raw-backend.js'

const started = proxies()

const CALL = {
  ':method': 'POST',
  ':path': '/test.Kinds/Unary',
  'content-type': 'application/grpc',
  te: 'trailers',
}

const open: AsyncDisposable[] = []
const sessions: ClientHttp2Session[] = []
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy()
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]()
})

it('the proxy sends a call that waited only once, even if its wait deadline passes meanwhile', async () => {
  const held: ServerHttp2Stream[] = []
  const backend = await raw((stream) => held.push(stream))
  const proxied = await started([], { waitMs: 2_000 })
  const call = unary(proxied.client())
  await until(
    () => proxied.proxy.calls === 1,
    () => 'the call',
  )
  proxied.discovery.put({ addr: backend.addr })
  await until(
    () => held.length === 1,
    () => 'the call at the backend',
  )
  await delay(2_100)
  for (const stream of held) echo(stream)
  expect((await call).code).toBe(status.OK)
  expect(backend.streams).toBe(1)
})

it('the proxy closes its connection to a caller that has stopped reading', async () => {
  const proxied = await started([])
  const [host = '', port = ''] = proxied.proxy.address.split(':')
  const frozen = connect(Number(port), host)
  frozen.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), SETTINGS]))
  await until(
    () => proxied.proxy.connections === 1,
    () => 'the connection',
  )
  const drained = proxied.proxy.drain().then(() => 'drained')
  // The drain sends GOAWAY, waits for the caller’s answer, and then closes the connection.
  await delay(1_500)
  proxied.proxy.cut()
  const outcome = await Promise.race([drained, delay(10_000, 'hangs')])
  frozen.destroy()
  expect(outcome).toBe('drained')
})

it('the proxy survives a caller that ends a call without an error while its request waits', async () => {
  const held: ServerHttp2Stream[] = []
  const backend = await raw((stream, number) => {
    if (number > 1) echo(stream)
    else held.push(stream)
  })
  const proxied = await started([{ addr: backend.addr }])
  const stream = session(proxied.proxy.address).request(CALL, { endStream: false })
  stream.on('error', () => undefined)
  // More than the proxy may send to the backend, which does not read.
  stream.write(Buffer.alloc(2 ** 20))
  await until(
    () => held.length === 1,
    () => 'the call',
  )
  await delay(300)
  stream.close(constants.NGHTTP2_NO_ERROR)
  await delay(300)
  const [first] = held
  if (first && !first.closed) first.respond({ ':status': 200, 'content-type': 'application/grpc' })
  await until(
    () => proxied.ends.length === 1,
    () => 'the end of the call',
  )
  expect(proxied.ends[0]?.code).toBe(status.CANCELLED)
  expect((await unary(proxied.client())).code).toBe(status.OK)
})

it.each([
  ['http2-settings', 'AAMAAABkAAQAAP__'],
  ['te', 'Trailers'],
])('the proxy survives a backend that sends the trailer %s', async (name, value) => {
  const backend = await FrameBackend.start([
    ['grpc-status', '0'],
    [name, value],
  ])
  open.push(backend)
  const proxied = await started([{ addr: backend.addr }])
  const { code, details } = await unary(proxied.client())
  expect(code).toBe(status.INTERNAL)
  expect(details).toContain('its trailers cannot be passed on')
  await until(
    () => proxied.ends.length === 1,
    () => 'the end of the call',
  )
  expect(proxied.ends[0]?.code).toBe(status.INTERNAL)
})

it('the proxy does not allow a backend to push streams', async () => {
  const allowed: boolean[] = []
  const backend = await raw((stream) => {
    allowed.push(stream.pushAllowed)
    echo(stream)
  })
  const proxied = await started([{ addr: backend.addr }])
  expect((await unary(proxied.client())).code).toBe(status.OK)
  expect(allowed).toEqual([false])
})

it('the proxy ends a call whose reply breaks off, even if the server does not speak gRPC', async () => {
  const backend = await raw((stream) => {
    stream.respond({ ':status': 503, 'content-type': 'text/html' })
    stream.write('<p>', () => stream.session?.destroy())
  })
  const proxied = await started([{ addr: backend.addr }])
  const stream = session(proxied.proxy.address).request(CALL)
  stream.resume()
  stream.on('error', () => undefined)
  const closed = new Promise((resolve) => stream.once('close', () => resolve('closed')))
  const outcome = await Promise.race([closed, delay(10_000, 'hangs')])
  expect(outcome).toBe('closed')
  expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR)
  expect(proxied.ends.map(({ code }) => code)).toEqual([status.UNAVAILABLE])
})

it.each([
  ['that cannot be read', Buffer.from([0, 0, 0, 0, 3, 0xff, 0xff, 0xff])],
  ['that is too long', Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1])],
  ['that is compressed', Buffer.from([1, 0, 0, 0, 2, 8, 1])],
])('the proxy survives a health reply %s, after which the endpoint is not READY', async (_, bytes) => {
  const backend = await raw((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
    stream.write(bytes)
  })
  const proxied = await started([{ addr: backend.addr }], { healthService: '' })
  const [endpoint] = proxied.proxy.services[0]?.members ?? []
  expect(endpoint).toMatchObject({ isReady: false, isFailing: true })
  expect(endpoint?.problem).toContain('its health watch ended')
})

const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])

function session(addr: string): ClientHttp2Session {
  const session = connectHttp2(`http://${addr}`)
  session.on('error', () => undefined)
  sessions.push(session)
  return session
}

async function raw(take: (stream: ServerHttp2Stream, number: number) => void): Promise<RawBackend> {
  const backend = await RawBackend.start(take)
  open.push(backend)
  return backend
}
