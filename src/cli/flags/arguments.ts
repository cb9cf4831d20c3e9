import { readAddress, withoutSecrets } from '../../domain/address.js'
import { DiscoError } from '../../domain/errors.js'
import { DEFAULT_LAYOUT, layoutNamed } from '../../domain/layouts/index.js'
import { AUTO } from '../../domain/layouts/reader.js'
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

/**
 * A service's name as a command takes it.
 *
 * @param layout as `--layout` has it: most have one segment of a key for a name
 * @throws DiscoError USAGE when the name is empty, or has a slash that the layout does not allow
 */
export function requireServiceName(name: string, layout: string = DEFAULT_LAYOUT.name): string {
  if (/^https?:\/\//i.test(name)) {
    throw new DiscoError('USAGE', `"${withoutSecrets(name)}" is a URL, not the name of a service`, {
      suggestions: ['A service is named as it is registered: disco ls lists them'],
    })
  }
  const allowsSlashes = layout === AUTO || layoutNamed(layout).allowsSlashes
  const problem = name === '' ? 'is empty' : name.includes('/') && !allowsSlashes ? 'contains "/"' : null
  if (problem === null) return name
  throw new DiscoError('USAGE', `The service name "${name}" ${problem}`, {
    suggestions: ['A service name is one segment of an etcd key, such as hello'],
  })
}
