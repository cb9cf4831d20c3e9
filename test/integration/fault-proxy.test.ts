import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../support/disco.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { freePorts } from '../support/ports.js'

let echo: Server
let proxy: FaultProxy
let clients: Client[]

/** The bytes that one connection through the proxy has received. */
class Client {
  received = ''
  isClosed = false

  private constructor(readonly socket: Socket) {
    socket.setEncoding('latin1').on('data', (text) => {
      this.received += text
    })
    socket.on('close', () => {
      this.isClosed = true
    })
    socket.on('error', () => undefined)
  }

  static async to(endpoint: string): Promise<Client> {
    const [host = '', port] = endpoint.split(':')
    const client = new Client(connect(Number(port), host))
    await once(client.socket, 'connect')
    clients.push(client)
    return client
  }

  async has(received: string): Promise<void> {
    await until(
      () => this.received === received,
      () => `${received}, got ${this.received}`,
    )
  }

  async closed(): Promise<void> {
    await until(
      () => this.isClosed,
      () => 'the end of the connection',
    )
  }
}

beforeEach(async () => {
  const [port = 0] = await freePorts(1)
  echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(port, '127.0.0.1')
  await once(echo, 'listening')
  proxy = await FaultProxy.start(`127.0.0.1:${port}`)
  clients = []
})
afterEach(async () => {
  for (const { socket } of clients) socket.destroy()
  await proxy[Symbol.asyncDispose]()
  echo.close()
})

describe('the fault proxy', () => {
  test('passes all bytes both ways without a fault, and counts them', async () => {
    const client = await Client.to(proxy.endpoint)
    const sent = 'abc'.repeat(100_000)
    client.socket.write(sent)
    await client.has(sent)
    expect(proxy.passed).toEqual({ toServer: sent.length, toClient: sent.length })
  })

  test('cuts connections at the configured byte, as often as configured', async () => {
    proxy.cutAfter('toClient', 4, 2)
    for (let round = 1; round <= 2; round++) {
      const client = await Client.to(proxy.endpoint)
      client.socket.write('abcdef')
      await client.closed()
      expect(client.received).toBe('abcd')
      expect(proxy.cuts).toBe(round)
    }
    const after = await Client.to(proxy.endpoint)
    after.socket.write('abcdef')
    await after.has('abcdef')
  })

  test('cuts all open connections on request, and accepts the next one', async () => {
    const [first, second] = await Promise.all([Client.to(proxy.endpoint), Client.to(proxy.endpoint)])
    first.socket.write('a')
    second.socket.write('a')
    await Promise.all([first.has('a'), second.has('a')])
    proxy.cut()
    await Promise.all([first.closed(), second.closed()])
    const third = await Client.to(proxy.endpoint)
    third.socket.write('b')
    await third.has('b')
    expect(proxy.accepted).toBe(3)
  })

  test('as a black hole accepts connections and passes no bytes, until it heals', async () => {
    const before = await Client.to(proxy.endpoint)
    before.socket.write('a')
    await before.has('a')
    proxy.blackhole()
    before.socket.write('b')
    const during = await Client.to(proxy.endpoint)
    during.socket.write('c')
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect([before.received, during.received]).toEqual(['a', ''])
    expect([before.isClosed, during.isClosed]).toEqual([false, false])
    await proxy.heal()
    await Promise.all([before.has('ab'), during.has('c')])
  })

  test('as a black hole in one direction passes the other direction', async () => {
    const client = await Client.to(proxy.endpoint)
    proxy.blackhole('toClient')
    client.socket.write('abc')
    await until(
      () => proxy.passed.toServer === 3,
      () => 'the bytes on their way to the server',
    )
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(client.received).toBe('')
  })

  test('refuses connections, and listens again on the same port when it heals', async () => {
    const client = await Client.to(proxy.endpoint)
    await proxy.refuse()
    await client.closed()
    await expect(Client.to(proxy.endpoint)).rejects.toThrow('ECONNREFUSED')
    await proxy.accept()
    const after = await Client.to(proxy.endpoint)
    after.socket.write('a')
    await after.has('a')
  })

  test('delays each piece, and limits the bytes per second', async () => {
    const client = await Client.to(proxy.endpoint)
    proxy.delay(150, 'toServer')
    let start = Date.now()
    client.socket.write('a')
    await client.has('a')
    expect(Date.now() - start).toBeGreaterThanOrEqual(145)
    await proxy.heal()
    proxy.limit('toClient', 2_000)
    start = Date.now()
    client.socket.write('b'.repeat(1_000))
    await client.has(`a${'b'.repeat(1_000)}`)
    expect(Date.now() - start).toBeGreaterThanOrEqual(450)
  })

  test('delays pieces that follow one another by the same time, so that they arrive one by one', async () => {
    const client = await Client.to(proxy.endpoint)
    proxy.delay(1_000, 'toServer')
    let arrivals = 0
    client.socket.on('data', () => arrivals++)
    for (const letter of 'abcdefghij') {
      client.socket.write(letter)
      await delay(100)
    }
    await client.has('abcdefghij')
    // Several may arrive together on a busy machine. They would arrive in two pieces if each waited for the one before.
    expect(arrivals).toBeGreaterThan(3)
  })
})
