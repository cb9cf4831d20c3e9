import type { Discovery } from '../domain/discovery.js'
import { DiscoError } from '../domain/errors.js'

/** Stands where no discovery is installed: channels to `etcd:` targets fail with the reason. */
export const withoutDiscovery: Discovery = {
  // biome-ignore lint/correctness/useYield: it fails before there is an update
  async *watch() {
    throw new DiscoError('USAGE', 'No discovery is installed: its installation was closed', {
      suggestions: ['Call install({ discovery }) before the channel is made'],
    })
  },
}
