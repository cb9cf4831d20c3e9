import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import { hostPort, type ListenAddress } from '../domain/address.js'
import { DiscoError } from '../domain/errors.js'
import { systemMessage } from '../domain/system-message.js'

/**
 * Makes a server listen. An error of a later accept, such as too many open files, makes only that connection fail.
 *
 * @param subject what listens, for the error: `The proxy`
 * @returns the bound `host:port`
 * @throws DiscoError CONFLICT when the port is in use, USAGE when it cannot listen there
 */
export async function listen(
  server: Server,
  { host, port }: ListenAddress,
  subject: string,
): Promise<string> {
  try {
    await once(server.listen(port, host), 'listening')
  } catch (cause) {
    const isTaken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
    const why = isTaken ? `port ${port} at ${host} is taken` : systemMessage(cause)
    throw new DiscoError(isTaken ? 'CONFLICT' : 'USAGE', `${subject} cannot listen: ${why}`, { cause })
  }
  server.on('error', () => undefined)
  const bound = server.address() as AddressInfo
  return hostPort({ host: bound.address, port: bound.port })
}
