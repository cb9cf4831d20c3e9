import type { Place } from '../domain/layouts/reader.js'
import { EtcdClient } from '../etcd/client.js'
import type { EtcdOptions } from '../etcd/options.js'
import { defaultCacheFolder, ListCache } from './cache.js'
import type { ContextOption } from './context-options.js'

type Optional<Options, Names extends keyof Options> = Omit<Options, Names> & {
  readonly [Name in Names]?: Options[Name] | undefined
}

/**
 * Connection to etcd, layout and root, and the cache of lists. Without `endpoints` and `context`, the variables DISCO_*
 * and ETCDCTL_* apply as for the tool: endpoints, credentials, timeouts, layout and root. Otherwise they are ignored.
 */
export interface RegistryOptions
  extends Optional<EtcdOptions, 'endpoints' | 'endpointsSource' | 'commandTimeoutMs' | 'dialTimeoutMs'>,
    Place,
    ContextOption {
  /** Cache of the last good lists, for a start without etcd; `false` disables it. */
  readonly cache?: CacheOptions | false
}

/** Options of the cache of the last good lists on disk. */
export interface CacheOptions {
  /** Default: `disco` in the user's cache folder (XDG_CACHE_HOME). */
  readonly folder?: string
  /** Maximum age of a list from the cache. Default: a day. */
  readonly maxAgeMs?: number
  /** Called once when the cache cannot be used. Default: a Node warning. */
  readonly onWarning?: (message: string) => void
}

const DEFAULT_COMMAND_TIMEOUT_MS = 5_000

/** If a member does not respond for this long, the next one is asked, so that an answer is less than a second late. */
const DEFAULT_DIAL_TIMEOUT_MS = 800

const DEFAULT_CACHE_MAX_AGE_MS = 24 * 60 * 60 * 1000

/** @throws DiscoError USAGE */
export function openClient(
  options: RegistryOptions & Pick<EtcdOptions, 'endpoints' | 'endpointsSource'>,
): Promise<EtcdClient> {
  return EtcdClient.create({
    ...options,
    commandTimeoutMs: options.commandTimeoutMs ?? DEFAULT_COMMAND_TIMEOUT_MS,
    dialTimeoutMs: options.dialTimeoutMs ?? DEFAULT_DIAL_TIMEOUT_MS,
  })
}

export function maxAgeOf({ maxAgeMs = DEFAULT_CACHE_MAX_AGE_MS }: CacheOptions = {}): number {
  return maxAgeMs
}

/** Opens the cache; `none` for a user without a home folder, after a warning. */
export function openCache({ folder, onWarning = emitWarning }: CacheOptions = {}): ListCache | 'none' {
  const place = folder ?? defaultCacheFolder(process.env)
  if (place !== null) return new ListCache(place, onWarning)
  onWarning('Lists are not cached: the user has no home folder. Set XDG_CACHE_HOME')
  return 'none'
}

function emitWarning(message: string): void {
  process.emitWarning(message, 'DiscoCacheWarning')
}
