import { onRing } from './ring-hash.js'

/**
 * Every call of one client goes to the same endpoint; the clients spread by weight, on the same ring as
 * `ring_hash`. The key is the client's own name, unless the parameter `key`, or a call, says another.
 */
export const sourceHash = onRing({ name: 'source_hash', shortName: 'source' }, ({ clientKey }) => clientKey)
