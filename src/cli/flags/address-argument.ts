import { completeAddress } from '../../registry/complete-address.js'

/**
 * An address or, where it starts with a slash or has one inside, an etcd key as it is.
 *
 * @throws DiscoError USAGE, with the example
 */
export function completeAddressOrKey(text: string, example: string): Promise<string> {
  return text.includes('/') && !text.startsWith('unix:')
    ? Promise.resolve(text)
    : completeAddress(text, example)
}
