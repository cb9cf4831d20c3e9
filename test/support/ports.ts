import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below every system's range of ephemeral ports: there, a client that keeps dialling a server that is down may
 * be given the very port that it dials, connect to itself, and keep the server from coming back.
 */
const FIRST_PORT = 10_000
const PORTS = 20_000

/**
 * `count` free loopback ports, all different, for servers that stop and start again. They belong to this process
 * until it ends: no other test gets one of them while its server is down, or between this call and its first start.
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
 * Whether this process now owns a port. The mark is a UDP socket of the same number: it leaves TCP alone, only one
 * process can have it, and the system removes it with the process, however that ends.
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

/** Whether nothing else on this machine listens on a port. */
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
