import { createServer, type Socket } from 'node:net'
import { status } from '@grpc/grpc-js'
import { afterEach, expect, it } from 'vitest'
import { FourKinds, unary } from '../support/four-kinds.js'
import { InFlight } from '../support/in-flight.js'
import { proxies } from '../support/proxied.js'

const started = proxies()

const stops: (() => unknown)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

/** Minimum number of runs. In some runs no call happens to be sent again, so runs repeat until one is. */
const MIN_RUNS = 4
const MAX_RUNS = 30

it('the proxy replays calls that a draining server has not started: no call fails, in several runs', async () => {
  let replays = 0
  for (let run = 0; run < MIN_RUNS || (replays === 0 && run < MAX_RUNS); run++) {
    const three = await Promise.all(Array.from({ length: 3 }, backend))
    const proxied = await started(three.map(({ addr }) => ({ addr })))
    const traffic = new InFlight(proxied.client(), 64)
    await traffic.more(500)
    for (const stopping of three.slice(1)) {
      void stopping.drain()
      await traffic.more(500)
    }
    await traffic.end()
    expect(traffic.failures).toEqual([])
    replays += proxied.replays
    for (const one of three) one.stop()
  }
  expect(replays).toBeGreaterThan(0)
}, 180_000)

it('an endpoint that accepts connections and does not speak HTTP/2 never becomes READY, and gets no call', async () => {
  const sockets: Socket[] = []
  const silent = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined).resume())
  })
  stops.push(
    () => silent.close(),
    () => {
      for (const socket of sockets) socket.destroy()
    },
  )
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as { port: number }
  const serving = await backend()
  const proxied = await started([{ addr: `127.0.0.1:${port}`, weight: 100 }, { addr: serving.addr }])
  expect(sockets.length).toBeGreaterThan(0)
  const client = proxied.client()
  for (let call = 0; call < 50; call++)
    expect(await unary(client)).toMatchObject({ code: status.OK, addr: serving.addr })
  const [service] = proxied.proxy.services
  expect([...(service?.members ?? [])].map(({ isReady }) => isReady)).toEqual([false, true])
  expect(proxied.replays).toBe(0)
}, 60_000)

async function backend(): Promise<FourKinds> {
  const one = await FourKinds.start()
  stops.push(() => one.stop())
  return one
}
