import { constants, type ServerHttp2Stream } from 'node:http2'
import { status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/disco.js'
import { FourKinds, unary } from '../support/four-kinds.js'
import { proxies } from '../support/proxied.js'
import { echo, RawBackend } from '../support/raw-backend.js'

const started = proxies()

const backends: AsyncDisposable[] = []
afterEach(async () => {
  for (const backend of backends.splice(0)) await backend[Symbol.asyncDispose]()
})

describe('a call that the endpoint has not started to process', () => {
  it('is sent to another endpoint with all its bytes if the stream is refused', async () => {
    const refusing = await raw((stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM))
    const serving = await raw(echo)
    const proxied = await started([{ addr: refusing.addr }, { addr: serving.addr }])
    const client = proxied.client()
    const request = Buffer.alloc(200_000, 'x')
    for (let call = 0; call < 10; call++) {
      const { code, reply } = await unary(client, { request })
      expect(code).toBe(status.OK)
      expect(reply?.equals(request)).toBe(true)
    }
    expect(serving.streams).toBe(10)
    expect(proxied.replays).toBe(refusing.streams)
    expect(refusing.streams).toBeGreaterThanOrEqual(5)
  })

  it('is sent again if its stream id is above the one in a GOAWAY; a call below stays where it is', async () => {
    const held: ServerHttp2Stream[] = []
    const leaving = await raw((stream) => {
      held.push(stream)
      if (held.length === 2) stream.session?.goaway(constants.NGHTTP2_NO_ERROR, held[0]?.id)
    })
    const proxied = await started([{ addr: leaving.addr }])
    const client = proxied.client()
    const first = unary(client)
    await until(
      () => held.length === 1,
      () => 'the first call',
    )
    const second = unary(client)
    // The second call arrives again on a new connection to the only endpoint.
    await until(
      () => held.length === 3,
      () => 'the second call, again',
    )
    for (const stream of [held[0], held[2]]) if (stream) echo(stream)
    expect((await first).code).toBe(status.OK)
    expect((await second).code).toBe(status.OK)
    // The two calls end on different connections, in either order.
    expect(proxied.ends.map(({ replays }) => replays).sort()).toEqual([0, 1])
    expect(leaving.sessions).toHaveLength(2)
  })

  it('fails if its request is too large to be kept for a replay', async () => {
    const refusing = await raw((stream) => {
      stream.on('data', () => undefined)
      stream.once('end', () => stream.close(constants.NGHTTP2_REFUSED_STREAM))
    })
    const proxied = await started([{ addr: refusing.addr }], { replayBytes: 1_000 })
    const client = proxied.client()
    const { code, details } = await unary(client, { request: Buffer.alloc(2_000) })
    expect({ code, details }).toEqual({
      code: status.UNAVAILABLE,
      details: `${refusing.addr}: reset the stream (HTTP/2 error code 7)`,
    })
    expect(refusing.streams).toBe(1)
  })

  it('fails if every attempt is refused', async () => {
    const refusing = await raw((stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM))
    const client = (await started([{ addr: refusing.addr }])).client()
    expect((await unary(client)).code).toBe(status.UNAVAILABLE)
    expect(refusing.streams).toBe(5)
  })
})

describe('a call that the endpoint may have started to process', () => {
  it.each([
    [constants.NGHTTP2_CANCEL, status.CANCELLED],
    [constants.NGHTTP2_INTERNAL_ERROR, status.INTERNAL],
    [constants.NGHTTP2_ENHANCE_YOUR_CALM, status.RESOURCE_EXHAUSTED],
  ])('fails if the stream is reset with code %i', async (rstCode, code) => {
    const resetting = await raw((stream) => stream.close(rstCode))
    const serving = await raw(echo)
    const proxied = await started([{ addr: resetting.addr }, { addr: serving.addr }])
    const client = proxied.client()
    const codes = [(await unary(client)).code, (await unary(client)).code]
    expect(codes.toSorted((a, b) => a - b)).toEqual([status.OK, code])
    expect(proxied.replays).toBe(0)
  })

  it('fails with UNAVAILABLE, the endpoint and the reason if the connection is lost', async () => {
    const dying = await raw((stream) => stream.session?.destroy())
    const proxied = await started([{ addr: dying.addr }])
    const { code, details } = await unary(proxied.client())
    expect(code).toBe(status.UNAVAILABLE)
    expect(details).toMatch(new RegExp(`^${dying.addr}: (closed without GOAWAY|connection reset|GOAWAY )`))
    expect(proxied.replays).toBe(0)
  })

  it('fails with UNAVAILABLE if the connection is lost during the reply', async () => {
    const dying = await raw((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
      stream.write(Buffer.from([0, 0, 0, 0, 9, 1]), () => stream.session?.destroy())
    })
    const proxied = await started([{ addr: dying.addr }])
    const { code, details } = await unary(proxied.client())
    expect(code).toBe(status.UNAVAILABLE)
    expect(details).toContain(dying.addr)
  })
})

describe('without a READY endpoint', () => {
  it('a call fails with UNAVAILABLE, and its details list each endpoint with the reason', async () => {
    const gone = await FourKinds.start()
    gone.stop()
    const proxied = await started([{ addr: gone.addr }, { addr: '127.0.0.1:9', weight: 0 }])
    expect(await unary(proxied.client())).toMatchObject({
      code: status.UNAVAILABLE,
      details: `No endpoint is READY: ${gone.addr}: connection refused`,
    })
  })

  it('a call waits if configured, and is sent once an endpoint is READY', async () => {
    const proxied = await started([], { waitMs: 20_000 })
    const call = unary(proxied.client())
    const serving = await raw(echo)
    proxied.discovery.put({ addr: serving.addr })
    expect((await call).code).toBe(status.OK)
  })

  it('a call does not wait longer than configured', async () => {
    const proxied = await started([], { waitMs: 100 })
    expect(await unary(proxied.client())).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'No endpoint to dial. hello has 0 registered endpoints',
    })
  })
})

async function raw(take: (stream: ServerHttp2Stream, number: number) => void): Promise<RawBackend> {
  const backend = await RawBackend.start(take)
  backends.push(backend)
  return backend
}
