import type { Discovery } from '../domain/discovery.js'
import type { Revision } from '../domain/endpoint.js'
import type { Resolution } from '../grpc/resolver/resolve.js'
import { DiscoCommand, type OpenRegistries } from './base-command.js'
import type { BaseFlags } from './flags/base.js'
import { type CacheFlags, cacheFlags, type PlaceFlags, placeFlags } from './flags/base.js'
import { type DialTarget, type FilterFlags, placeOfDialled, selectorFlag } from './flags/target.js'
import { requireExisting } from './registries/parts.js'
import { unusableOf } from './resolve/document.js'
import { unusableLines } from './resolve/table.js'
import { StopSignals } from './stop-signals.js'

/** A discovery with the endpoints of a service at a revision. @throws DiscoError NOT_FOUND, REVISION_UNAVAILABLE */
async function pastOf(
  [{ registry }]: OpenRegistries,
  service: string,
  revision: Revision,
): Promise<Discovery> {
  const { pastDiscovery } = await import('../registry/listing.js')
  return pastDiscovery(await registry.listExisting(service, { revision }))
}

/** Base of the commands that resolve a target as a gRPC client does. */
export abstract class ResolvingCommand extends DiscoCommand {
  static override flags = { ...selectorFlag, ...cacheFlags, ...placeFlags }

  /**
   * Resolves a target.
   *
   * @param revision the revision at which the target is resolved; undefined for the current state
   * @throws DiscoError NOT_FOUND with the nearest names of services, or with existing values of the selector; USAGE,
   *   INTERRUPTED, ETCD_UNREACHABLE, ETCD_DENIED, REVISION_UNAVAILABLE
   */
  protected async resolve(
    dialled: DialTarget,
    flags: BaseFlags & PlaceFlags & CacheFlags & FilterFlags,
    revision?: Revision,
  ): Promise<Resolution> {
    const { target, registry: where } = dialled
    using stop = new StopSignals()
    const { install } = await import('../grpc/install.js')
    const { requireSelected, resolveTarget } = await import('../grpc/resolver/resolve.js')
    if (!where) {
      install()
      return await resolveTarget(target, stop.once)
    }
    const { discovery, registries } = await this.openDiscovery(
      flags,
      (place) => placeOfDialled(dialled, place),
      revision === undefined && this.cacheOptions(flags),
    )
    install({
      discovery: revision === undefined ? discovery : await pastOf(registries, where.service, revision),
    })
    const resolution = await resolveTarget(target, stop.once)
    const { list, service } = resolution
    if (service !== null && list?.registered.length === 0) await requireExisting(registries, service)
    if (list) requireSelected(target, list)
    return resolution
  }

  /** Prints a remark for each endpoint that no client dials, for output that leaves them out. */
  protected remarkUnusable(resolution: Resolution, flags: BaseFlags): void {
    const palette = this.palette(flags, process.stderr)
    for (const line of unusableLines({ unusable: unusableOf(resolution) }, palette)) this.remark(line)
  }
}
