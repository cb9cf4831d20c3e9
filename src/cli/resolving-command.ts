import type { Resolution } from '../grpc/resolver/resolve.js'
import { type BaseFlags, DiscoCommand } from './base-command.js'
import { type CacheFlags, cacheFlags, type PlaceFlags, placeFlags } from './flags/base.js'
import { argument } from './flags/custom.js'
import { StopSignals } from './stop-signals.js'

export const targetArgument = argument({
  required: true,
  description: 'a service, or a target: etcd:///SERVICE, etcd://VERSION/SERVICE, dns:///HOST:PORT, ipv4:…',
})

/** A command that looks at a target as a gRPC client would be given it. */
export abstract class ResolvingCommand extends DiscoCommand {
  static override flags = { ...cacheFlags, ...placeFlags }

  /** @throws DiscoError USAGE, NOT_FOUND with the nearest names, INTERRUPTED, ETCD_UNREACHABLE, ETCD_DENIED */
  protected async resolve(target: string, flags: BaseFlags & PlaceFlags & CacheFlags): Promise<Resolution> {
    using stop = new StopSignals()
    const registry = await this.openRegistry(flags, this.cacheOptions(flags))
    const { install } = await import('../grpc/install.js')
    const { resolveTarget } = await import('../grpc/resolver/resolve.js')
    install({ discovery: registry })
    const resolution = await resolveTarget(target, stop.once)
    const { list, service } = resolution
    if (service !== null && list?.registered.length === 0) await registry.listExisting(service)
    return resolution
  }
}
