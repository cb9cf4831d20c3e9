import { createSocket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { formatAddress, parseAddress } from '../domain/address.js'

/** A documentation address (RFC 5737): connecting a UDP socket to it sends nothing, but selects the route. */
const ANY_OUTSIDE_ADDRESS = '192.0.2.1'

/**
 * Completes an address for the registry: `:1001` becomes this machine's outbound IPv4 address and the port.
 *
 * @param example of a valid address, for the error
 * @throws DiscoError USAGE
 */
export async function completeAddress(text: string, example: string): Promise<string> {
  const address = parseAddress(text, example)
  if (address.kind === 'unix' || address.host !== '') return formatAddress(address)
  return formatAddress({ ...address, host: await outboundIpv4() })
}

/** Source address of the default route; without a route, the first address that is not loopback. */
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
