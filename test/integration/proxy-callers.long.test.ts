import { once } from 'node:events'
import { connect as connectHttp2, constants } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { Metadata, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../support/disco.js'
import { chat, ended, FourKinds, unary } from '../support/four-kinds.js'
import { InFlight } from '../support/in-flight.js'
import { proxies } from '../support/proxied.js'

const started = proxies()

let backend: FourKinds
beforeAll(async () => {
  backend = await FourKinds.start()
})
afterAll(() => backend.stop())

it('the proxy drains gracefully: running calls finish, and a caller that continues loses no call', async () => {
  const proxied = await started([{ addr: backend.addr }])
  const talk = chat(proxied.client())
  talk.write(Buffer.from('before'))
  await once(talk, 'data')
  const drained = proxied.proxy.drain()
  talk.write(Buffer.from('after'))
  expect(String((await once(talk, 'data'))[0])).toBe('after')
  talk.end()
  expect((await ended(talk)).code).toBe(status.OK)
  await drained
})

it('the proxy ends connections at their maximum age, and loses none of their calls', async () => {
  const listen = { host: '127.0.0.1', port: 0, tls: null, connectionAgeMs: () => 100 }
  const proxied = await started([{ addr: backend.addr }], { listen })
  const traffic = new InFlight(proxied.client(), 16)
  await traffic.more(2_000)
  await traffic.end()
  expect(traffic.failures).toEqual([])
})

it('the proxy refuses headers that are too large, and serves the next call of the connection', async () => {
  const client = (await started([{ addr: backend.addr }])).client()
  const large = new Metadata()
  large.set('x-text', 'x'.repeat(100_000))
  expect((await unary(client, { metadata: large })).code).not.toBe(status.OK)
  const fitting = new Metadata()
  fitting.set('x-text', 'x'.repeat(30_000))
  const { code, headers } = await unary(client, { metadata: fitting })
  expect(code).toBe(status.OK)
  expect(String(headers.get('x-text')[0])).toHaveLength(30_000)
})

it('a hostile caller affects only its own connection', async () => {
  const proxied = await started([{ addr: backend.addr }])
  const [host = '', port = ''] = proxied.proxy.address.split(':')
  const client = proxied.client()
  const traffic = new InFlight(client, 4)
  const sockets: Socket[] = []
  const open = () => {
    const socket = connect(Number(port), host)
    socket.on('error', () => undefined)
    sockets.push(socket)
    return socket
  }
  // Not HTTP/2, a frame with a wrong length, and a connection that sends nothing.
  const wrong = open()
  wrong.write('GET / HTTP/1.1\r\n\r\n')
  const damaged = open()
  damaged.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  damaged.write(Buffer.from([255, 255, 255, 4, 0, 0, 0, 0, 0]))
  open()
  for (const socket of [wrong, damaged]) socket.resume()
  await once(damaged, 'close')
  // A thousand calls, each reset immediately.
  const session = connectHttp2(`http://${proxied.proxy.address}`)
  session.on('error', () => undefined)
  for (let call = 0; call < 1_000 && !session.destroyed; call++) {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/test.Kinds/Unary',
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    stream.on('error', () => undefined)
    stream.close(constants.NGHTTP2_CANCEL)
  }
  await traffic.more(200)
  await traffic.end()
  expect(traffic.failures).toEqual([])
  for (const socket of sockets) socket.destroy()
  session.destroy()
  await until(
    () => proxied.proxy.calls === 0,
    () => 'the end of all calls',
  )
})

it('the proxy carries 500 open streams of one connection', async () => {
  const proxied = await started([{ addr: backend.addr }])
  const client = proxied.client()
  const talks = Array.from({ length: 500 }, () => chat(client))
  const answers = talks.map((talk) => once(talk, 'data'))
  for (const talk of talks) talk.write(Buffer.from('a'))
  await Promise.all(answers)
  expect(proxied.proxy.calls).toBe(500)
  for (const talk of talks) {
    talk.resume()
    talk.end()
  }
  expect((await Promise.all(talks.map(ended))).every(({ code }) => code === status.OK)).toBe(true)
})
