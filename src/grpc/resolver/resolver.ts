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

/** The service config of a channel that sets none. grpc-js's default policy, pick_first, would ignore weights. */
const DEFAULT_CONFIG = {
  loadBalancingConfig: [lbConfigOf(POLICIES[0].configure({}))],
  methodConfig: [],
}

type Constructor = Parameters<typeof experimental.registerResolver>[1]

/** Returns a resolver class that uses the discovery. grpc-js creates one resolver per channel. */
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
 * Passes the lists of a watch to a channel. All channels to the same service share one watch. The first
 * `updateResolution` joins the watch, and later ones do nothing. grpc-js calls the method whenever a connection drops, and
 * at each RPC while the channel is in TRANSIENT_FAILURE, but not while its resolution backoff is running. Each such call
 * starts that backoff. A list in answer would stop it, and grpc-js could call again at once.
 *
 * After the first list an unreachable registry is not an error: the last list stays in use.
 *
 * After a long idle time grpc-js destroys the resolver. When the channel is used again, grpc-js calls
 * `updateResolution` on the same object, which then joins the watch again.
 */
class RegistryResolver implements experimental.Resolver, ServiceListener {
  readonly heard: ServiceListener['heard']
  private leave: (() => void) | null = null
  private readonly observer: Observer
  private readonly serviceConfig: Parameters<experimental.ResolverListener>[2]
  private readonly selection: Selection
  private readonly note: string

  /**
   * @throws DiscoError USAGE if the service config of the channel lists LB policies but none that is known, or if the
   *   first known policy has invalid parameters
   * @throws SyntaxError if the service config is not JSON
   */
  constructor(
    private readonly watches: ServiceWatches,
    private readonly target: Target,
    private readonly listener: experimental.ResolverListener,
    options: ChannelOptions,
  ) {
    this.observer = observerOf(options)
    this.heard = this.observer.heard?.bind(this.observer)
    const ofChannel = options['grpc.service_config']
    if (ofChannel !== undefined) checkPolicies(JSON.parse(ofChannel))
    this.serviceConfig = ofChannel === undefined ? experimental.statusOrFromValue(DEFAULT_CONFIG) : null
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

  /** Passes the list to the observer and, if it may have changed, to the channel. */
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

/** Parses a target. @throws DiscoError USAGE for an invalid target, or registries that the discovery does not have */
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

/**
 * The unreachable registries, as a part of the note of a list. The error of a call contains the note if the list has no
 * endpoint to dial, or all are drained.
 */
function outagesOf({ registries = [] }: ResolvedList): string {
  return registries
    .flatMap(({ registry, stale }) => (stale ? `; ${registry}: ${stale.message}` : []))
    .join('')
}

/** Names the conditions of a target, for the same note. */
function conditionsOf(target: Target): string {
  const selector = selectorOf(target)
  return selector.length === 0 ? '' : `; the target selects endpoints with ${formatSelector(selector)}`
}
