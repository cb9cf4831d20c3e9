import { type ChannelOptions, experimental } from '@grpc/grpc-js'
import { ALL_ENDPOINTS, requireChosen } from '../../domain/endpoint-filter.js'
import { DiscoError } from '../../domain/errors.js'
import { type RegisteredEndpoint, registered } from './endpoint.js'
import type { SelectedList } from './live-list.js'
import { OBSERVER_OPTION } from './observer.js'
import { authorityOf, parseTarget, SCHEME, selectorOf, splitTarget, type TargetUri } from './target.js'

/** A target with its parts. */
export interface TargetName {
  readonly uri: TargetUri
  /** The complete URI, for a channel. */
  readonly target: string
  /** The name of the service; null for a target of another scheme. */
  readonly service: string | null
  /** Becomes `:authority`, and the name that a server's certificate must have. */
  readonly authority: string
}

/** Result of resolving a target. */
export interface Resolution extends Omit<TargetName, 'uri'> {
  /** The registry's list; null if the target is of another scheme. */
  readonly list: SelectedList | null
  /** Endpoints that the target selects and that can be dialled. */
  readonly endpoints: readonly RegisteredEndpoint[]
  /** The resolver's service config, which a channel uses by default; null if there is none. */
  readonly serviceConfig: object | null
}

/**
 * Reads a target. A bare name is a service of the registry, `host:port` without a scheme is `dns:`, as in gRPC.
 *
 * @throws DiscoError USAGE
 */
export function readTarget(text: string): TargetName {
  const uri = splitTarget(text)
  const own = uri.scheme === SCHEME ? parseTarget(uri) : null
  return {
    uri,
    target: experimental.uriToString(uri),
    service: own?.service ?? null,
    authority: own ? authorityOf(own) : othersAuthority(uri),
  }
}

/**
 * Throws if a service has endpoints, but the target's conditions select none of them.
 *
 * @throws DiscoError NOT_FOUND, with the existing values
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
 * Resolves a target once, by the resolver that a channel would use. The target is read as by {@link readTarget}.
 *
 * @throws DiscoError USAGE, NOT_FOUND (the resolver's reason), INTERRUPTED, and the registry's own error if it is
 * unreachable and no list was kept
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
          // A new list is also passed to the listener, which finishes.
          else if (!now.isNew) finish(null)
        },
      },
    }
    const listener: experimental.ResolverListener = (endpoints, _, serviceConfig) => {
      if (!endpoints.ok) {
        // The observer receives the cause of our own resolver's failures.
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
 * Whether every registry has answered. A list from the cache counts only with `stale`, the reason why etcd gave none.
 */
function isSettled({ registries, cachedAgeMs, stale }: SelectedList): boolean {
  const each = registries ?? [{ hasAnswered: true, cachedAgeMs, stale }]
  return each.every((one) => one.hasAnswered && (one.cachedAgeMs === null || one.stale !== null))
}

/** The authority that grpc-js's own resolvers use. */
function othersAuthority({ scheme, path }: experimental.GrpcUri): string {
  return scheme === 'unix' ? 'localhost' : (path.split(',')[0] ?? '')
}
