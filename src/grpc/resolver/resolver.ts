import { type ChannelOptions, experimental, Metadata, status } from '@grpc/grpc-js'
import type { Discovery } from '../../domain/discovery.js'
import { DiscoError } from '../../domain/errors.js'
import { formatSelector } from '../../domain/selector.js'
import { POLICIES } from '../../policies/index.js'
import type { ResolvedList } from './live-list.js'
import { type Observer, observerOf } from './observer.js'
import { lbConfigOf } from './policy-config.js'
import { Selection } from './selection.js'
import { checkPolicies } from './service-config.js'
import { type ServiceListener, ServiceWatches } from './service-watch.js'
import { authorityOf, parseTarget, selectorOf, type Target } from './target.js'

/** The service config of a channel without one. grpc-js's default, pick_first, would ignore weights. */
const DEFAULT_CONFIG = {
  loadBalancingConfig: [lbConfigOf(POLICIES[0].configure({}))],
  methodConfig: [],
}

type Constructor = Parameters<typeof experimental.registerResolver>[1]

/** The resolver class of a discovery: grpc-js makes one instance for a channel. */
export function resolverFor(discovery: Discovery): Constructor {
  const watches = ServiceWatches.of(discovery)
  return class extends RegistryResolver {
    constructor(...[target, listener, options]: ConstructorParameters<Constructor>) {
      super(watches, registryTarget(target, discovery), listener, options as ChannelOptions)
    }

    static getDefaultAuthority(target: experimental.GrpcUri): string {
      return authorityOf(parseTarget(target))
    }
  }
}

/**
 * Gives a channel the lists of a watch, which it shares with all channels to the same service. The first request for a
 * resolution joins the watch. Later requests have no effect: grpc-js makes one whenever a connection drops, about one
 * per call while endpoints fail, and an answer to each would reset the backoff of grpc-js. An unreachable registry is
 * not an error: the last list stays.
 *
 * After a long idle time grpc-js destroys the resolver and later calls `updateResolution` on the same one.
 */
class RegistryResolver implements experimental.Resolver, ServiceListener {
  readonly heard: ServiceListener['heard']
  private leave: (() => void) | null = null
  private readonly observer: Observer
  private readonly serviceConfig: Parameters<experimental.ResolverListener>[2]
  private readonly selection: Selection
  private readonly note: string

  /** @throws DiscoError USAGE if the service config of the channel has no LB policy that grpc-js knows */
  constructor(
    private readonly watches: ServiceWatches,
    private readonly target: Target,
    private readonly listener: experimental.ResolverListener,
    options: ChannelOptions,
  ) {
    this.observer = observerOf(options)
    this.heard = this.observer.heard?.bind(this.observer)
    const callers = options['grpc.service_config']
    if (callers !== undefined) checkPolicies(JSON.parse(callers))
    this.serviceConfig = callers === undefined ? experimental.statusOrFromValue(DEFAULT_CONFIG) : null
    this.selection = new Selection(target)
    this.note = conditionsOf(target)
  }

  updateResolution(): void {
    const { service, place } = this.target
    this.leave ??= this.watches.join({ service, ...place }, this)
  }

  destroy(): void {
    this.leave?.()
    this.leave = null
  }

  /** Passes the list on to the channel, and to the observer. */
  resolved(now: ResolvedList): void {
    const { endpoints, registered: selected } = this.selection.of(now.registered)
    this.observer.resolved?.({ ...now, selected })
    if (!now.isNew) return
    const count = `${this.target.service} has ${now.registered.length} registered endpoints`
    const lookedIn = now.lookedIn ? ` (${now.lookedIn})` : ''
    const note = `${count}${lookedIn}${this.note}${outagesOf(now)}`
    this.listener(experimental.statusOrFromValue(endpoints), {}, this.serviceConfig, note)
  }

  failed(error: DiscoError): void {
    const failure = { code: status.UNAVAILABLE, details: error.message, metadata: new Metadata() }
    this.listener(experimental.statusOrFromError(failure), {}, null, '')
  }
}

/** Parses a target. @throws DiscoError USAGE if it is invalid, or names registries that the discovery does not have */
function registryTarget(uri: experimental.GrpcUri, discovery: Discovery): Target {
  const target = parseTarget(uri)
  const { from } = target.place
  if (discovery.originsOf) discovery.originsOf(from)
  else if (from !== undefined) {
    throw new DiscoError('USAGE', `The target names registries, from=${from}, but only one is installed`, {
      suggestions: [
        'In a program: install({ discovery: combineRegistries({ … }) }); in the tool: -C NAME,NAME',
      ],
    })
  }
  return target
}

/** The unreachable registries, as the end of a message about a list without usable endpoints. */
function outagesOf({ registries = [] }: ResolvedList): string {
  return registries
    .flatMap(({ registry, stale }) => (stale ? `; ${registry}: ${stale.message}` : []))
    .join('')
}

/** A target's conditions, as the end of a message about a list without usable endpoints. */
function conditionsOf(target: Target): string {
  const selector = selectorOf(target)
  return selector.length === 0 ? '' : `; selected are those with ${formatSelector(selector)}`
}
