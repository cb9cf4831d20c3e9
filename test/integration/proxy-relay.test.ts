import { once } from 'node:events'
import { Metadata, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/disco.js'
import { burst, chat, collect, ended, FourKinds, unary } from '../support/four-kinds.js'
import { proxies } from '../support/proxied.js'

const started = proxies()

let backend: FourKinds
beforeAll(async () => {
  backend = await FourKinds.start()
})
afterAll(() => backend.stop())

describe('the proxy', () => {
  it('forwards a unary call with text, empty and binary metadata in both directions', async () => {
    const { client, ends } = await one()
    const metadata = new Metadata()
    metadata.add('x-text', 'a')
    metadata.add('x-text', 'b, c')
    metadata.add('x-empty', '')
    metadata.add('x-data-bin', Buffer.from([0, 255, 10, 44]))
    metadata.add('x-data-bin', Buffer.from([1]))
    const { reply, code, headers, trailers } = await unary(client, { metadata })
    expect({ reply: String(reply), code }).toEqual({ reply: 'hello', code: status.OK })
    for (const received of [headers, trailers]) {
      expect(received.get('x-text').join('|')).toBe('a, b, c')
      expect(received.get('x-empty')).toEqual([''])
      expect(received.get('x-data-bin')).toEqual([Buffer.from([0, 255, 10, 44]), Buffer.from([1])])
    }
    expect(ends.map(({ code: at, replays }) => ({ at, replays }))).toEqual([{ at: status.OK, replays: 0 }])
  })

  it('forwards the authority and the deadline unchanged', async () => {
    const { proxied } = await one()
    const client = proxied.client({ 'grpc.default_authority': 'some.name:77' })
    const before = Date.now()
    await unary(client, { deadlineMs: 9_000 })
    expect(backend.lastMetadata.host).toBe('some.name:77')
    expect(backend.lastMetadata.deadlineMs).toBeGreaterThan(before + 8_000)
    expect(backend.lastMetadata.deadlineMs).toBeLessThan(Date.now() + 9_001)
  })

  it.each([status.NOT_FOUND, status.UNAVAILABLE, status.INTERNAL])(
    'forwards status %i with its details',
    async (code) => {
      const { client } = await one()
      const metadata = new Metadata()
      metadata.set('x-status', String(code))
      const failed = await unary(client, { metadata })
      expect(failed).toMatchObject({ code, details: 'as asked: ünïcode %', addr: backend.addr })
    },
  )

  it('forwards messages of 4 MB in both directions', async () => {
    const { client } = await one()
    const request = Buffer.alloc(4 * 2 ** 20, 'x')
    const { reply } = await unary(client, { request })
    expect(reply?.equals(request)).toBe(true)
  })

  it('forwards client streams, server streams and bidirectional streams', async () => {
    const { client } = await one()
    expect(await collect(client, [0, 1, 70_000, 200_000])).toBe('270001')
    const sizes: number[] = []
    const stream = burst(client, 5, 100_000).on('data', (message: Buffer) => sizes.push(message.length))
    expect((await ended(stream)).code).toBe(status.OK)
    expect(sizes).toEqual([100_000, 100_000, 100_000, 100_000, 100_000])
    const echoed: string[] = []
    const talk = chat(client).on('data', (message: Buffer) => echoed.push(String(message)))
    for (const word of ['a', 'b', 'c']) {
      talk.write(Buffer.from(word))
      await until(
        () => echoed.includes(word),
        () => `the echo of ${word}`,
      )
    }
    talk.end()
    expect((await ended(talk)).code).toBe(status.OK)
    expect(echoed).toEqual(['a', 'b', 'c'])
  })

  it('forwards all bytes of 25 streams to slow readers', async () => {
    const { client } = await one()
    const counted = await Promise.all(
      Array.from({ length: 25 }, async () => {
        let size = 0
        const stream = burst(client, 128, 65_536)
        stream.on('data', (message: Buffer) => {
          size += message.length
          stream.pause()
          setTimeout(() => stream.resume(), 1)
        })
        // In Node 22 and later, the status can arrive while a paused reader still buffers messages.
        const [{ code }] = await Promise.all([ended(stream), once(stream, 'end')])
        return { size, code }
      }),
    )
    expect(counted).toEqual(Array.from({ length: 25 }, () => ({ size: 128 * 65_536, code: status.OK })))
  })

  it('forwards a cancellation to the backend', async () => {
    const { client } = await one()
    const before = backend.cancelled
    const talk = chat(client)
    talk.on('error', () => undefined)
    talk.write(Buffer.from('a'))
    await new Promise((resolve) => talk.once('data', resolve))
    talk.cancel()
    await until(
      () => backend.cancelled === before + 1,
      () => 'the cancellation',
    )
  })

  it('ends a call at its deadline, for the caller and at the backend', async () => {
    const { client } = await one()
    const before = backend.cancelled
    backend.isHoldingBack = true
    const { code } = await unary(client, { deadlineMs: 200 })
    expect(code).toBe(status.DEADLINE_EXCEEDED)
    await until(
      () => backend.cancelled === before + 1,
      () => 'the cancellation',
    )
    backend.answer()
  })
})

describe('calls of one connection', () => {
  it('are spread over the backends by weight', async () => {
    const backends = await Promise.all(Array.from({ length: 5 }, () => FourKinds.start()))
    const weights = [1, 1, 1, 1, 10]
    const proxied = await started(backends.map(({ addr }, at) => ({ addr, weight: weights[at] ?? 1 })))
    const client = proxied.client()
    for (let call = 0; call < 1_400; call++) await unary(client)
    expect(backends.map(({ calls }) => calls)).toEqual([100, 100, 100, 100, 1_000])
    for (const each of backends) each.stop()
  })
})

async function one() {
  const proxied = await started([{ addr: backend.addr }])
  return { proxied, client: proxied.client(), ends: proxied.ends }
}
