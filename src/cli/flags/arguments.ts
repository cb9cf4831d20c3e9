import { readAddress, withoutSecrets } from '../../domain/address.js'
import { DiscoError } from '../../domain/errors.js'
import { DEFAULT_LAYOUT, layoutNamed } from '../../domain/layouts/index.js'
import { AUTO } from '../../domain/layouts/reader.js'
import { completeAddress } from '../../registry/complete-address.js'

/**
 * Completes an address. A text with a slash is an etcd key, and is returned unchanged, unless it is a URL or a socket.
 *
 * @param example a correct command line, for the error
 * @throws DiscoError USAGE for an invalid address
 */
export function completeAddressOrKey(text: string, example: string): Promise<string> {
  const isKey = text.includes('/') && !text.startsWith('unix:') && !/^https?:\/\//i.test(text)
  return isKey ? Promise.resolve(text) : completeAddress(text, example)
}

/** An endpoint as an argument names it. */
export interface EndpointName {
  /** The completed address, or the etcd key. */
  readonly name: string
  /** Why `name` is not a valid address; null for a valid address or a key. */
  readonly invalid: DiscoError | null
}

/** Like {@link completeAddressOrKey}, but keeps an invalid address: an endpoint may be registered with it. */
export async function endpointName(text: string, example: string): Promise<EndpointName> {
  try {
    return { name: await completeAddressOrKey(text, example), invalid: null }
  } catch (thrown) {
    const invalid = DiscoError.from(thrown)
    if (invalid.code !== 'USAGE' || text === '') throw invalid
    return { name: text, invalid }
  }
}

/**
 * Refuses swapped arguments: the service looks like an address, and the address does not.
 *
 * @param order the command and its arguments in the right order
 * @throws DiscoError USAGE
 */
export function refuseSwapped(service: string, addr: string | undefined, order: readonly string[]): void {
  if (addr === undefined || !isAddress(service) || isAddress(addr) || addr.includes('/')) return
  throw new DiscoError('USAGE', 'The arguments are swapped: the service comes before the address', {
    suggestions: [`Try: disco ${order.join(' ')}`],
  })
}

/** Whether a text is a valid address: `HOST:PORT` or `unix:PATH`. */
export function isAddress(text: string): boolean {
  return text.includes(':') && !('problem' in readAddress(text))
}

/**
 * Checks a service name.
 *
 * @param layout the value of `--layout`: in most layouts a name is one segment of a key
 * @throws DiscoError USAGE if the name is empty, is a URL, or has a slash that the layout does not allow
 */
export function requireServiceName(name: string, layout: string = DEFAULT_LAYOUT.name): string {
  if (/^https?:\/\//i.test(name)) {
    throw new DiscoError('USAGE', `"${withoutSecrets(name)}" is a URL, not the name of a service`, {
      suggestions: ['disco ls lists the names of the services'],
    })
  }
  const allowsSlashes = layout === AUTO || layoutNamed(layout).allowsSlashes
  const problem = name === '' ? 'is empty' : name.includes('/') && !allowsSlashes ? 'contains "/"' : null
  if (problem === null) return name
  throw new DiscoError('USAGE', `The service name "${name}" ${problem}`, {
    suggestions: ['A service name is one segment of an etcd key, such as hello'],
  })
}
