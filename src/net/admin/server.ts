import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DiscoError } from '../../domain/errors.js'

/** Deadline for a whole request, headers included. */
const REQUEST_DEADLINE_MS = 5_000
const MAX_HEADER_BYTES = 8 * 1_024
const MAX_CONNECTIONS = 256

/** Time for pending answers when the server closes. */
const CLOSE_MS = 1_000

export interface AdminServer extends AsyncDisposable {
  /** The bound `host:port`. */
  readonly address: string
}

/**
 * Starts an HTTP server for the handler; disposing of it completes pending answers.
 *
 * @param host address to listen at; `port` 0 for any free one
 * @throws DiscoError CONFLICT when the port is in use, USAGE when it cannot listen there
 */
export async function startAdmin(
  { host, port }: { host: string; port: number },
  handler: RequestListener,
): Promise<AdminServer> {
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: REQUEST_DEADLINE_MS,
    requestTimeout: REQUEST_DEADLINE_MS,
    connectionsCheckingInterval: 500,
  }
  const server = createServer(limits, handler)
  server.maxConnections = MAX_CONNECTIONS
  try {
    await once(server.listen(port, host), 'listening')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const isTaken = code === 'EADDRINUSE'
    const why = isTaken ? `port ${port} at ${host} is taken` : message
    throw new DiscoError(isTaken ? 'CONFLICT' : 'USAGE', `The admin handler cannot listen: ${why}`, { cause })
  }
  // For example too many open files at one accept: that connection fails, but later ones may succeed.
  server.on('error', () => undefined)
  const bound = server.address() as AddressInfo
  return {
    address: bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`,
    [Symbol.asyncDispose]: async () => {
      const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
      server.closeIdleConnections()
      await new Promise((resolve) => server.close(resolve))
      clearTimeout(timer)
    },
  }
}
