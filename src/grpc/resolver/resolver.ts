import { type ChannelOptions, experimental, Metadata, status } from '@grpc/grpc-js'
import type { Discovery } from '../../domain/discovery.js'
import { DiscoError } from '../../domain/errors.js'
import { POLICIES } from '../../policies/index.js'
import { toGrpcEndpoints } from './endpoint.js'
import { LiveList, type ResolvedList } from './live-list.js'
import { type Observer, observerOf } from './observer.js'
import { lbConfigOf } from './policy-config.js'
import { checkPolicies } from './service-config.js'
import { authorityOf, parseTarget, type Target } from './target.js'

/** After an error that the registry's own retries could not mend, the resolver waits this long. */
const RETRY_FIRST_MS = 1_000
const RETRY_MOST_MS = 30_000

/** For a channel without a service config: grpc-js would use pick_first, which no weight reaches. */
const DEFAULT_CONFIG = {
  loadBalancingConfig: [lbConfigOf(POLICIES[0].configure({}))],
  methodConfig: [],
}

type Constructor = Parameters<typeof experimental.registerResolver>[1]

/** The resolver class of a discovery: grpc-js makes one instance for a channel. */
export function resolverFor(discovery: Discovery): Constructor {
  return class extends RegistryResolver {
    constructor(...[target, listener, options]: ConstructorParameters<Constructor>) {
      super(discovery, parseTarget(target), listener, options as ChannelOptions)
    }

    static getDefaultAuthority(target: experimental.GrpcUri): string {
      return authorityOf(parseTarget(target))
    }
  }
}

/**
 * Feeds a channel from a watch of the registry. While the watch runs it needs no asking: grpc-js asks again
 * whenever a connection drops, about once per call while endpoints fail, and every answer would end its own
 * backoff. So a request starts what is not running and does nothing else, and a failed watch starts again
 * on a timer of its own. An unreachable registry is no error: the last list stands.
 *
 * After a long idle time grpc-js destroys the resolver and later calls `updateResolution` on the same one.
 */
class RegistryResolver implements experimental.Resolver {
  private running: AbortController | null = null
  private retryTimer: NodeJS.Timeout | null = null
  private retryMs = RETRY_FIRST_MS
  private readonly observer: Observer
  private readonly serviceConfig: Parameters<experimental.ResolverListener>[2]

  /** @throws DiscoError USAGE when the caller's service config names no LB policy that grpc-js could use */
  constructor(
    private readonly discovery: Discovery,
    private readonly target: Target,
    private readonly listener: experimental.ResolverListener,
    options: ChannelOptions,
  ) {
    this.observer = observerOf(options)
    const callers = options['grpc.service_config']
    if (callers !== undefined) checkPolicies(JSON.parse(callers))
    this.serviceConfig = callers === undefined ? experimental.statusOrFromValue(DEFAULT_CONFIG) : null
  }

  updateResolution(): void {
    if (this.running || this.retryTimer) return
    this.running = new AbortController()
    void this.follow(this.running.signal)
  }

  destroy(): void {
    this.running?.abort()
    this.running = null
    if (this.retryTimer) clearTimeout(this.retryTimer)
    this.retryTimer = null
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const { service, place } = this.target
    const list = new LiveList((now) => this.resolved(now))
    signal.addEventListener('abort', () => list.close(), { once: true })
    try {
      for await (const update of this.discovery.watch({ service, ...place }, signal)) {
        if (signal.aborted) return
        this.observer.heard?.(update)
        if (update.type === 'stale' && list.isEmpty) this.fail(update.cause)
        list.take(update)
      }
    } catch (thrown) {
      if (signal.aborted) return
      const cause = DiscoError.from(thrown)
      list.take({ type: 'stale', sinceMs: Date.now(), cause })
      this.running = null
      this.fail(cause)
      this.retryTimer = setTimeout(() => {
        this.retryTimer = null
        this.updateResolution()
      }, this.retryMs)
      this.retryTimer.unref()
      this.retryMs = Math.min(this.retryMs * 2, RETRY_MOST_MS)
    }
  }

  /** Tells the channel, and the observer, what the list is now. */
  private resolved(now: ResolvedList): void {
    this.observer.resolved?.(now)
    this.retryMs = RETRY_FIRST_MS
    if (!now.isNew) return
    const endpoints = toGrpcEndpoints(now.registered, this.target)
    const note = this.noteFor(now.registered.length)
    this.listener(experimental.statusOrFromValue(endpoints), {}, this.serviceConfig, note)
  }

  private fail(error: DiscoError): void {
    const failure = { code: status.UNAVAILABLE, details: error.message, metadata: new Metadata() }
    this.listener(experimental.statusOrFromError(failure), {}, null, '')
  }

  /** What is added to messages about a list without usable endpoints. */
  private noteFor(registered: number): string {
    const { service, where } = this.target
    const conditions = Object.entries(where).map(([name, value]) => `${name}=${value}`)
    const selected = conditions.length === 0 ? '' : `; selected are those with ${conditions.join(', ')}`
    return `${service} has ${registered} registered endpoints${selected}`
  }
}
