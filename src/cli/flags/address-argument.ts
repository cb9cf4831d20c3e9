import { readAddress } from '../../domain/address.js'
import { DiscoError } from '../../domain/errors.js'
import { completeAddress } from '../../registry/complete-address.js'

/**
 * An address or, where it starts with a slash or has one inside, an etcd key as it is. A URL is neither.
 *
 * @throws DiscoError USAGE, with the example
 */
export function completeAddressOrKey(text: string, example: string): Promise<string> {
  const isKey = text.includes('/') && !text.startsWith('unix:') && !/^https?:\/\//i.test(text)
  return isKey ? Promise.resolve(text) : completeAddress(text, example)
}

/**
 * Refuses arguments in another order than theirs: an address where the service belongs, and something else where the
 * address belongs.
 *
 * @param order the command and its arguments as they should be
 * @throws DiscoError USAGE
 */
export function refuseSwapped(service: string, addr: string | undefined, order: readonly string[]): void {
  if (addr === undefined || !isAddress(service) || isAddress(addr) || addr.includes('/')) return
  throw new DiscoError('USAGE', 'The arguments are swapped: the service comes before the address', {
    suggestions: [`Try: disco ${order.join(' ')}`],
  })
}

/** Whether a word of the command line is host and port, or a socket. */
export function isAddress(text: string): boolean {
  return text.includes(':') && !('problem' in readAddress(text))
}
