import { once } from 'node:events'
import { connect as connectHttp2, constants } from 'node:http2'
import { setTimeout as delay } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import { afterEach, expect, it } from 'vitest'
import { Backend } from '../support/backend.js'
import { until } from '../support/disco.js'
import { burst, chat, ended, FourKinds, PATHS, unary } from '../support/four-kinds.js'
import { InFlight } from '../support/in-flight.js'
import { type Proxied, proxies } from '../support/proxied.js'
import { echo, RawBackend } from '../support/raw-backend.js'

const started = proxies()

const backends: { stop(): void }[] = []
afterEach(() => {
  for (const backend of backends.splice(0)) backend.stop()
})

it('the proxy loses no call when weights, the list and the health change under 64 calls in flight', async () => {
  const all = await Promise.all(Array.from({ length: 5 }, backend))
  const proxied = await started(all.map(({ addr }) => ({ addr, weight: 2 })))
  const traffic = new InFlight(proxied.client(), 64)
  for (let round = 0; round < 20; round++) {
    const one = all[round % all.length]
    const other = all[(round + 2) % all.length]
    if (!one || !other) throw new Error('no backend')
    proxied.discovery.put({ addr: one.addr, weight: round % 2 === 0 ? 0 : 5 })
    proxied.discovery.delete({ addr: other.addr })
    await traffic.more(50)
    proxied.discovery.put({ addr: other.addr, weight: 1 + (round % 3) })
    await traffic.more(50)
  }
  await traffic.end()
  expect(traffic.failures).toEqual([])
  expect(traffic.answered).toBeGreaterThanOrEqual(2_000)
})

it('the proxy loses no call when two of three servers drain under 64 calls in flight', async () => {
  const all = await Promise.all(Array.from({ length: 3 }, backend))
  const proxied = await started(all.map(({ addr }) => ({ addr })))
  const traffic = new InFlight(proxied.client(), 64)
  await traffic.more(500)
  for (const stopping of all.slice(1)) {
    void stopping.drain()
    await traffic.more(500)
  }
  await traffic.end()
  expect(traffic.failures).toEqual([])
})

it('the proxy leaves a call at its endpoint while the endpoint is drained and then removed', async () => {
  const [one, other] = [await backend(), await backend()]
  const proxied = await started([{ addr: one.addr }])
  const client = proxied.client()
  const talk = chat(client)
  const echoed: string[] = []
  talk.on('data', (message: Buffer) => echoed.push(String(message)))
  await exchange(talk, echoed, 'before')
  proxied.discovery.list({ addr: one.addr, weight: 0 }, { addr: other.addr, weight: 1 })
  await until(
    async () => (await unary(client)).addr === other.addr,
    () => 'calls at the other endpoint',
  )
  await exchange(talk, echoed, 'drained')
  proxied.discovery.list({ addr: other.addr, weight: 1 })
  expect((await unary(client)).addr).toBe(other.addr)
  await exchange(talk, echoed, 'gone')
  talk.end()
  expect((await ended(talk)).code).toBe(status.OK)
})

it('the proxy fails only the calls of a killed connection, and no later call', async () => {
  const [dying, serving] = [await backend(), await backend()]
  const proxied = await started([{ addr: dying.addr }, { addr: serving.addr }])
  const client = proxied.client()
  dying.isHoldingBack = true
  const calls = Array.from({ length: 10 }, () => unary(client))
  await until(
    () => dying.held === 5,
    () => 'five calls held back',
  )
  dying.stop()
  const answers = await Promise.all(calls)
  expect(answers.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([
    ...Array.from({ length: 5 }, () => status.OK),
    ...Array.from({ length: 5 }, () => status.UNAVAILABLE),
  ])
  for (let call = 0; call < 20; call++) expect((await unary(client)).addr).toBe(serving.addr)
})

it('the proxy keeps its endpoints while the registry is unreachable', async () => {
  const one = await backend()
  const proxied = await started([{ addr: one.addr }])
  proxied.discovery.lose()
  expect((await unary(proxied.client())).addr).toBe(one.addr)
})

it('the proxy picks only endpoints that report SERVING, and follows their changes', async () => {
  const [one, other] = await Backend.startMany(2)
  if (!one?.health || !other) throw new Error('no backend')
  backends.push(one, other)
  const proxied = await started([{ addr: one.addr }, { addr: other.addr }], { healthService: '' })
  const traffic = new InFlight(proxied.client(), 8, '/test.Backend/Echo')
  await traffic.more(100)
  expect(one.calls).toBeGreaterThan(40)
  one.health.set('NOT_SERVING')
  await untilReady(proxied, 1)
  const before = one.calls
  await traffic.more(100)
  expect(one.calls - before).toBeLessThanOrEqual(8)
  one.health.set('SERVING')
  await untilReady(proxied, 2)
  await traffic.more(100)
  await traffic.end()
  expect(traffic.failures).toEqual([])
})

it('the proxy does not let a backend send more than a caller that does not read accepts', async () => {
  const one = await backend()
  const proxied = await started([{ addr: one.addr }])
  const stream = burst(proxied.client(), 1_000, 65_536)
  stream.on('error', () => undefined)
  await new Promise((resolve) => stream.once('readable', resolve))
  let before = -1
  await until(
    () => {
      const isStill = before === one.sentBytes
      before = one.sentBytes
      return isStill
    },
    () => 'the backend to wait',
  )
  expect(one.sentBytes).toBeLessThan(8 * 2 ** 20)
  stream.cancel()
  await untilIdle(proxied)
})

it('the proxy does not accept a request beyond what its backend reads, and serves the next call of both connections', async () => {
  await using mute = await RawBackend.start((stream, number) => {
    if (number > 1) echo(stream)
    else stream.pause()
  })
  const proxied = await started([{ addr: mute.addr }])
  const session = connectHttp2(`http://${proxied.proxy.address}`)
  const headers = { ':method': 'POST', ':path': PATHS.Collect, 'content-type': 'application/grpc' }
  const stuck = session.request({ ...headers, te: 'trailers' })
  stuck.on('error', () => undefined)
  let taken = 0
  const chunk = Buffer.alloc(4_096)
  const feed = () =>
    stuck.write(chunk, (error) => {
      if (error) return
      taken += chunk.length
      feed()
    })
  feed()
  let before = -1
  await until(
    () => {
      const isStill = taken > 0 && before === taken
      before = taken
      return isStill
    },
    () => 'the caller to wait',
  )
  expect(taken).toBeLessThan(4 * 2 ** 20)
  const next = session.request({ ...headers, te: 'trailers' })
  next.end(Buffer.from('hello'))
  const [data] = (await once(next, 'data')) as [Buffer]
  expect(String(data)).toBe('hello')
  stuck.close(constants.NGHTTP2_CANCEL)
  await untilIdle(proxied)
  session.destroy()
})

it('the proxy discards a finished reply that its caller has not read when the caller cancels', async () => {
  const one = await backend()
  const proxied = await started([{ addr: one.addr }])
  for (const messages of [18, 21, 24, 27]) {
    const before = one.sentBytes
    const session = connectHttp2(`http://${proxied.proxy.address}`)
    const headers = { ':method': 'POST', ':path': PATHS.Burst, 'content-type': 'application/grpc' }
    const stream = session.request({ ...headers, te: 'trailers' })
    stream.on('error', () => undefined)
    const request = Buffer.from(`${messages} 4096`)
    stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, request.length]), request]))
    await until(
      () => one.sentBytes - before === messages * 4_096,
      () => 'the whole reply',
    )
    // The call has ended at the backend. The proxy keeps the part that does not fit into the flow control windows.
    await delay(100)
    stream.close(constants.NGHTTP2_CANCEL)
    session.close()
  }
  await untilIdle(proxied)
})

async function exchange(
  talk: ReturnType<typeof chat>,
  echoed: readonly string[],
  word: string,
): Promise<void> {
  talk.write(Buffer.from(word))
  await until(
    () => echoed.includes(word),
    () => `the echo of ${word}`,
  )
}

/** Waits until no call is outstanding, neither at the proxy nor at a backend. */
async function untilIdle({ proxy }: Proxied): Promise<void> {
  const [member] = proxy.services[0]?.members ?? []
  await until(
    () => member?.outstanding.count === 0 && proxy.calls === 0,
    () => `the end of ${member?.outstanding.count} calls at the backend`,
  )
}

async function untilReady({ proxy }: Proxied, count: number): Promise<void> {
  await until(
    () => [...(proxy.services[0]?.members ?? [])].filter(({ isReady }) => isReady).length === count,
    () => `${count} READY endpoints`,
  )
}

async function backend(): Promise<FourKinds> {
  const one = await FourKinds.start()
  backends.push(one)
  return one
}
