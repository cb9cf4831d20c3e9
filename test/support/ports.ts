import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below every system's range of ephemeral ports: there, a client that keeps dialling a server that is down may
 * be given the very port that it dials, connect to itself, and keep the server from coming back.
 */
const FIRST_PORT = 10_000
const PORTS = 20_000

/** `count` loopback ports that were free a moment ago, all different, for servers that come and go. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

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
