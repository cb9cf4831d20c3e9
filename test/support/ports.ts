import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Lowest port. The range is below the ephemeral ports of every system: a client that keeps dialling a stopped server
 * could otherwise get the same port as its local port, connect to itself, and prevent the server from starting again.
 */
const FIRST_PORT = 10_000
const PORTS = 20_000

/**
 * `count` different free loopback ports, for servers that stop and start again. They belong to this process until it
 * ends: no other test gets one of them while its server is down, or before its first start.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS)
    if ((await reserve(port)) && (await isFree(port))) ports.push(port)
  }
  return ports
}

/**
 * Whether this process could claim a port. The claim is a UDP socket with the same number: it does not affect TCP, only
 * one process can open it, and the system closes it with the process.
 */
async function reserve(port: number): Promise<boolean> {
  const mark = createSocket('udp4').unref()
  try {
    mark.bind({ port, address: '127.0.0.1', exclusive: true })
    await once(mark, 'listening')
    return true
  } catch {
    mark.close()
    return false
  }
}

/** Whether no other process on this machine listens on a port. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
    await once(server.close(), 'close')
    return true
  } catch {
    return false
  }
}
