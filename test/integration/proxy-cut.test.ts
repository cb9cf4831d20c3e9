import { once } from 'node:events'
import { connect, constants } from 'node:http2'
import { setTimeout as delay } from 'node:timers/promises'
import { type ClientDuplexStream, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { until } from '../support/disco.js'
import { burst, chat, ended, FourKinds, PATHS, unary } from '../support/four-kinds.js'
import { type Proxied, proxies } from '../support/proxied.js'

const started = proxies()

let backend: FourKinds
let proxied: Proxied
beforeAll(async () => {
  backend = await FourKinds.start()
})
afterAll(() => backend.stop())
beforeEach(async () => {
  proxied = await started([{ addr: backend.addr }])
})

const SHUT_DOWN = { code: status.UNAVAILABLE, details: 'The proxy shut down before the call ended' }

it.each([
  ['before its headers', false],
  ['after an answer', true],
])(
  'a stream that is cut %s ends with UNAVAILABLE and the reason, and is cancelled at the backend',
  async (_, isAnswered) => {
    const { cancelled, open } = backend
    const talk = opened()
    if (isAnswered) {
      talk.write(Buffer.from('before'))
      await once(talk, 'data')
    } else {
      await until(
        () => backend.open === open + 1,
        () => 'the call at the backend',
      )
    }
    const end = ended(talk)
    await cut()
    expect(await end).toMatchObject(SHUT_DOWN)
    expect(proxied.ends).toMatchObject([{ ...SHUT_DOWN, endedBy: 'proxy' }])
    await until(
      () => backend.cancelled === cancelled + 1,
      () => 'the cancellation at the backend',
    )
  },
)

it('unary calls that are cut end with UNAVAILABLE, and a finished call keeps its status', async () => {
  const client = proxied.client()
  expect((await unary(client)).code).toBe(status.OK)
  backend.isHoldingBack = true
  const held = Array.from({ length: 20 }, () => unary(client))
  await until(
    () => backend.held === 20,
    () => 'the calls at the backend',
  )
  await cut()
  for (const end of await Promise.all(held)) expect(end).toMatchObject(SHUT_DOWN)
  expect(proxied.ends.map(({ code }) => code)).toEqual([status.OK, ...held.map(() => status.UNAVAILABLE)])
  backend.answer()
})

it('a call that waits for an endpoint ends with UNAVAILABLE', async () => {
  proxied = await started([], { waitMs: 60_000 })
  const waiting = unary(proxied.client())
  await openAtProxy(1)
  await cut()
  expect(await waiting).toMatchObject(SHUT_DOWN)
})

it('a call in the middle of its reply ends with UNAVAILABLE', async () => {
  const reply = burst(proxied.client(), 1_000, 100_000)
  reply.on('error', () => undefined)
  await once(reply, 'data')
  const end = ended(reply)
  reply.resume()
  await cut()
  expect((await end).code).toBe(status.UNAVAILABLE)
  expect(proxied.ends).toMatchObject([{ ...SHUT_DOWN, endedBy: 'proxy' }])
})

it('a caller that does not read its reply does not delay the end of the proxy, and loses its connection', async () => {
  const session = connect(`http://${proxied.proxy.address}`)
  const stream = session.request({
    ':method': 'POST',
    ':path': PATHS.Burst,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  const closed = once(stream, 'close')
  const text = Buffer.from('1000 100000')
  stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, text.length]), text]))
  await once(stream, 'response')
  await until(
    () => stream.readableLength > 0,
    () => 'the first data',
  )
  // Long enough for the window of the stream to fill, so that data wait for the caller.
  await delay(300)
  await cut()
  stream.resume()
  await closed
  expect(session.destroyed).toBe(true)
  // The proxy sends no RST_STREAM, which gRPC clients map to INTERNAL. The code is Node’s own for a lost connection.
  expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL)
  expect(proxied.ends).toMatchObject([{ ...SHUT_DOWN, endedBy: 'proxy' }])
})

function opened(): ClientDuplexStream<Buffer, Buffer> {
  const talk = chat(proxied.client())
  talk.on('error', () => undefined)
  talk.resume()
  return talk
}

async function openAtProxy(calls: number): Promise<void> {
  await until(
    () => proxied.proxy.calls === calls,
    () => 'the call at the proxy',
  )
}

/** Cuts all calls like a second signal. The proxy must end, whatever its callers do. */
async function cut(): Promise<void> {
  const drained = proxied.proxy.drain().then(() => 'drained')
  proxied.proxy.cut()
  expect(await Promise.race([drained, delay(10_000, 'hangs')])).toBe('drained')
}
