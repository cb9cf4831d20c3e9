import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { afterAll } from 'vitest'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'

/** Addresses of endpoints that can be registered but do not serve, each for a different reason. */
export interface DeadEndpoints {
  /** No server listens at this address. */
  readonly refused: string
  /** Accepts the connection and never sends a byte. */
  readonly mute: string
  /** The process hangs and the kernel’s backlog is full, so that TCP connections are not established. */
  readonly swallowed: string
  /** Accepts the connection and resets it at once. */
  readonly reset: string
  /** Answers calls, and closes each connection with GOAWAY after 50 ms. */
  readonly goAway: Greeter
}

/** Servers of tests listen only on 127.0.0.1, so a port of this address is never used by a later server. */
const NOBODY = '127.0.0.9:9'

const MAX_CONNECTION_AGE_MS = 50

/** Time in milliseconds after which a connection attempt on loopback counts as dropped. */
const DROPPED_MS = 100

/** Sets the endpoints up for all tests of a file, and closes them after the last test. */
export async function deadEndpoints(): Promise<DeadEndpoints> {
  const mute = await startTcp(() => undefined)
  const reset = await startTcp((socket) => socket.resetAndDestroy())
  const swallowed = await startSwallowing()
  const goAway = await startGreeter({ port: 0, maxConnectionAgeMs: MAX_CONNECTION_AGE_MS })
  afterAll(async () => {
    goAway.stop()
    await Promise.all([mute, reset, swallowed].map((server) => server.close()))
  })
  return { refused: NOBODY, mute: mute.addr, swallowed: swallowed.addr, reset: reset.addr, goAway }
}

/** A listening server of a test. */
export interface Listening {
  readonly addr: string
  close(): Promise<void>
}

async function startTcp(accept: (socket: Socket) => void): Promise<Listening> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    // A client that disconnects resets the connection, which is not an error here.
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    accept(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    addr: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Worker code that listens, reports its port, and then blocks, so that it never accepts a connection. */
const HANGS = `
const { parentPort } = require('node:worker_threads')
const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port)
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
})`

/** Starts a listener whose kernel backlog is full: connections are neither established nor refused. */
export async function startSwallowing(): Promise<Listening> {
  const worker = new Worker(HANGS, { eval: true })
  const [port] = (await once(worker, 'message')) as [number]
  const held: Socket[] = []
  let isFull = false
  while (!isFull) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    held.push(socket)
    isFull = !(await connects(socket))
  }
  return {
    addr: `127.0.0.1:${port}`,
    close: async () => {
      for (const socket of held) socket.destroy()
      await worker.terminate()
    },
  }
}

async function connects(socket: Socket): Promise<boolean> {
  const signal = AbortSignal.timeout(DROPPED_MS)
  return await once(socket, 'connect', { signal }).then(
    () => true,
    () => false,
  )
}
