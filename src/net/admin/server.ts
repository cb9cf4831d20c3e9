import { createServer, type RequestListener } from 'node:http'
import type { ListenAddress } from '../../domain/address.js'
import { listen } from '../listen.js'

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
 * @throws DiscoError CONFLICT when the port is in use, USAGE when it cannot listen there
 */
export async function startAdmin(address: ListenAddress, handler: RequestListener): Promise<AdminServer> {
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: REQUEST_DEADLINE_MS,
    requestTimeout: REQUEST_DEADLINE_MS,
    connectionsCheckingInterval: 500,
  }
  const server = createServer(limits, handler)
  server.maxConnections = MAX_CONNECTIONS
  return {
    address: await listen(server, address, 'The admin handler'),
    [Symbol.asyncDispose]: async () => {
      const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
      server.closeIdleConnections()
      await new Promise((resolve) => server.close(resolve))
      clearTimeout(timer)
    },
  }
}
