import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { callByCCore } from '../support/c-core.js'
import { FourKinds, PATHS } from '../support/four-kinds.js'
import { InFlight } from '../support/in-flight.js'
import { freePorts } from '../support/ports.js'
import { proxies } from '../support/proxied.js'

const started = proxies()

const backends: FourKinds[] = []
afterEach(() => {
  for (const backend of backends.splice(0)) backend.stop()
})

it('a C-core client with one connection has its calls spread as in the source documents', async () => {
  const all = await Promise.all(Array.from({ length: 5 }, () => backend()))
  const proxied = await started(all.map(({ addr }) => ({ addr, weight: 1 })))
  const { address } = proxied.proxy
  expect(Object.values(await callByCCore(address, PATHS.Unary, 10))).toEqual([2, 2, 2, 2, 2])
  const last = all.at(-1)?.addr ?? ''
  proxied.discovery.put({ addr: last, weight: 10 })
  const counts = await callByCCore(address, PATHS.Unary, 1_400)
  for (const { addr } of all) {
    expect(Math.abs((counts[addr] ?? 0) - (addr === last ? 1_000 : 100)), addr).toBeLessThanOrEqual(2)
  }
}, 300_000)

it('30,000 calls during 400 live changes and a rolling restart of five servers lose none', async () => {
  const ports = await freePorts(5)
  const running = new Map<number, FourKinds>()
  for (const port of ports) running.set(port, await backend(port))
  const addrOf = (port: number) => `127.0.0.1:${port}`
  const proxied = await started(ports.map((port) => ({ addr: addrOf(port), weight: 2 })))
  const traffic = new InFlight(proxied.client(), 64)
  const change = async (from: number, to: number) => {
    for (let at = from; at < to; at++) {
      const port = ports[at % ports.length] ?? 0
      if (at % 4 === 0) proxied.discovery.delete({ addr: addrOf(port) })
      else proxied.discovery.put({ addr: addrOf(port), weight: at % 3 })
      await traffic.more(50)
      // The endpoint is restored before the next change, so that at most two of five are missing, one of them for its
      // restart.
      proxied.discovery.put({ addr: addrOf(port), weight: 1 + (at % 3) })
    }
  }
  await change(0, 200)
  for (const port of ports) {
    proxied.discovery.delete({ addr: addrOf(port) })
    await traffic.more(20)
    await running.get(port)?.drain()
    running.set(port, await backend(port))
    proxied.discovery.put({ addr: addrOf(port), weight: 2 })
    await traffic.more(500)
  }
  await change(200, 400)
  while (traffic.answered + traffic.failures.length < 30_000) await delay(20)
  await traffic.end()
  expect(traffic.failures).toEqual([])
  expect(traffic.answered).toBeGreaterThanOrEqual(30_000)
}, 600_000)

async function backend(port = 0): Promise<FourKinds> {
  const one = await FourKinds.start({ listen: `127.0.0.1:${port}` })
  backends.push(one)
  return one
}
