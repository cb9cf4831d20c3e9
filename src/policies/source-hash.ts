import { readParameters, text } from './parameters.js'
import type { PolicyKind } from './policy.js'
import { HashRing } from './ring-hash.js'

const TRAITS = { name: 'source_hash', shortName: 'source', weighted: true, shares: 'none' } as const

/**
 * Every call of one client goes to the same endpoint; the clients spread by weight, on the same ring as
 * `ring_hash`. The key is the client's own name, unless the parameter `key`, or a call, says another.
 */
export const sourceHash: PolicyKind = {
  ...TRAITS,
  configure(config) {
    const { key } = readParameters(TRAITS.name, config, { key: text })
    return {
      ...TRAITS,
      config: key === undefined ? {} : { key },
      ...{ reads: ['hashKey'], countsCalls: false },
      create: (environment) => new HashRing(environment, key ?? environment.clientKey),
    }
  },
}
