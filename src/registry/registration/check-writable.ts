import type { EndpointRecord } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import { isNoEndpoint, isUnreadable, type Layout } from '../../domain/layouts/index.js'

/**
 * Whether a layout can write these endpoints, each under a key of its own and with all that is to be said.
 *
 * @throws DiscoError USAGE
 */
export function checkWritable(layout: Layout, all: readonly EndpointRecord[]): void {
  const keys = new Map<string, string>()
  for (const registered of all) {
    const { addr, metadata } = registered
    const { key, value } = layout.encode([registered], '1')
    const other = keys.get(key)
    if (other !== undefined) {
      throw new DiscoError('USAGE', `${other} and ${addr} would stand under one key, ${key}`)
    }
    keys.set(key, addr)
    const decoded = layout.decode(key, value)
    const kept = isUnreadable(decoded) || isNoEndpoint(decoded) ? {} : decoded[0].metadata
    if (Object.entries(metadata).some(([name, text]) => kept[name] !== text)) {
      throw new DiscoError('USAGE', `The layout ${layout.name} has no place for this metadata`)
    }
  }
}
