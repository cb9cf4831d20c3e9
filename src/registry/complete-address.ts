import { createSocket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { formatAddress, parseAddress } from '../domain/address.js'

/** A documentation address (RFC 5737): asking for the route to it sends nothing. */
const ANY_OUTSIDE_ADDRESS = '192.0.2.1'

/**
 * An address as the registry writes it: `:1001` becomes this machine's outbound IPv4 and the port.
 *
 * @throws DiscoError USAGE, with the example
 */
export async function completeAddress(text: string, example: string): Promise<string> {
  const address = parseAddress(text, example)
  if (address.kind === 'unix' || address.host !== '') return formatAddress(address)
  return formatAddress({ ...address, host: await outboundIpv4() })
}

/** The address that the system would send from; without a route, the first that is not loopback. */
async function outboundIpv4(): Promise<string> {
  const socket = createSocket('udp4')
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.connect(9, ANY_OUTSIDE_ADDRESS, resolve)
    })
    return socket.address().address
  } catch {
    const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
    return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
  } finally {
    socket.close()
  }
}
