import { type ChannelOptions, experimental } from '@grpc/grpc-js'
import { ALL_ENDPOINTS, requireChosen } from '../../domain/endpoint-filter.js'
import { DiscoError } from '../../domain/errors.js'
import { type RegisteredEndpoint, registered } from './endpoint.js'
import type { SelectedList } from './live-list.js'
import { OBSERVER_OPTION } from './observer.js'
import { authorityOf, parseTarget, SCHEME, selectorOf, splitTarget, type TargetUri } from './target.js'

/** A parsed target. */
export interface TargetName {
  readonly uri: TargetUri
  /** The complete URI, for a channel. */
  readonly target: string
  /** The name of the service; null for a target of another scheme than `etcd:`. */
  readonly service: string | null
  /** The `:authority` of calls, and the name that a server's certificate must contain. */
  readonly authority: string
}

/** The result of resolving a target. */
export interface Resolution extends Omit<TargetName, 'uri'> {
  /** The registry's list; null for a target of another scheme than `etcd:`. */
  readonly list: SelectedList | null
  /** The endpoints that the target selects and that can be dialled. */
  readonly endpoints: readonly RegisteredEndpoint[]
  /** The service config from the resolver, which a channel uses by default; null if the resolver has none. */
  readonly serviceConfig: object | null
}

/**
 * Parses a target. A name without a scheme is a service of the registry. `host:port` without a scheme is a `dns:`
 * target, as in gRPC.
 *
 * @throws DiscoError USAGE for an invalid target
 */
export function readTarget(text: string): TargetName {
  const uri = splitTarget(text)
  const etcdTarget = uri.scheme === SCHEME ? parseTarget(uri) : null
  return {
    uri,
    target: experimental.uriToString(uri),
    service: etcdTarget?.service ?? null,
    authority: etcdTarget ? authorityOf(etcdTarget) : authorityOfOther(uri),
  }
}

/**
 * Throws if a service has endpoints, but the target's conditions select none of them.
 *
 * @throws DiscoError NOT_FOUND, with the values that the endpoints have
 */
export function requireSelected(
  target: string,
  { registered, selected }: Pick<SelectedList, 'registered' | 'selected'>,
): void {
  if (selected.length > 0 || registered.length === 0) return
  const conditions = parseTarget(splitTarget(target))
  requireChosen({ ...ALL_ENDPOINTS, select: selectorOf(conditions) }, registered, conditions.service)
}

/**
 * Resolves a target once, with the resolver that a channel would use. The target is parsed as by {@link readTarget}.
 *
 * @throws DiscoError USAGE for an invalid target, NOT_FOUND if a resolver of another scheme than `etcd:` fails,
 *   INTERRUPTED when `signal` aborts, and the registry's error if it is unreachable and there is no list from the cache
 */
export function resolveTarget(text: string, signal: AbortSignal): Promise<Resolution> {
  const { uri, ...name } = readTarget(text)
  return new Promise((resolve, reject) => {
    let list: SelectedList | null = null
    let found: Omit<Resolution, 'list'> | null = null
    const finish = (error: unknown): void => {
      if (error === null && !found) return
      if (error === null && list && !isSettled(list)) return
      resolver?.destroy()
      signal.removeEventListener('abort', interrupt)
      if (error === null && found) resolve({ ...found, list })
      else reject(error)
    }
    const interrupt = () =>
      finish(new DiscoError('INTERRUPTED', 'Interrupted before the target was resolved'))
    const options: ChannelOptions = {
      'grpc.enable_http_proxy': 0,
      [OBSERVER_OPTION]: {
        resolved: (now: SelectedList) => {
          list = now
          if (now.revision === 0 && now.stale) finish(now.stale)
          // The resolver also passes a new list to `listener`, which calls `finish`.
          else if (!now.isNew) finish(null)
        },
      },
    }
    const listener: experimental.ResolverListener = (endpoints, _, serviceConfig) => {
      if (!endpoints.ok) {
        // For an `etcd:` target, the observer receives the cause of the failure.
        if (uri.scheme !== SCHEME) finish(new DiscoError('NOT_FOUND', endpoints.error.details))
        return true
      }
      found = {
        ...name,
        endpoints: endpoints.value.map(registered),
        serviceConfig: serviceConfig?.ok ? serviceConfig.value : null,
      }
      finish(null)
      return true
    }
    const resolver = experimental.createResolver(uri, listener, options)
    if (signal.aborted) interrupt()
    signal.addEventListener('abort', interrupt)
    resolver.updateResolution()
  })
}

/**
 * Whether every registry has answered. A list from the cache is final only if `stale` is set: otherwise a list from
 * etcd may follow.
 */
function isSettled({ registries, cachedAgeMs, stale }: SelectedList): boolean {
  const each = registries ?? [{ hasAnswered: true, cachedAgeMs, stale }]
  return each.every((one) => one.hasAnswered && (one.cachedAgeMs === null || one.stale !== null))
}

/** The default authority of grpc-js's own resolvers. */
function authorityOfOther({ scheme, path }: experimental.GrpcUri): string {
  return scheme === 'unix' ? 'localhost' : (path.split(',')[0] ?? '')
}
