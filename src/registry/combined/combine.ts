import type { Discovery, Query, Update } from '../../domain/discovery.js'
import { DiscoError } from '../../domain/errors.js'
import { nameSuggestions } from '../../domain/nearest.js'
import { type Origin, type Origins, parseOrigins } from '../../domain/origins.js'
import { lastingWatch } from './lasting-watch.js'
import { merged } from './merged.js'

/** Options of {@link combineRegistries}. */
export interface CombineOptions {
  /**
   * The registries of targets without `from`: `dc1,dc2` (the first one, or the next if it has no READY endpoint) or
   * `dc1=80,dc2=20` (both, in this ratio). Default: all, in the order of the object.
   */
  readonly from?: string
  /** Jitters the waits before a failed watch starts again. Default: Math.random. */
  readonly random?: () => number
}

/**
 * Combines several registries into one, such as one per data centre. A target selects registries by the names given
 * here: `etcd:///hello?from=dc1,dc2`. A registry that is unreachable, or refuses access, affects only its own part of
 * the list. The caller closes the registries.
 *
 * @throws DiscoError USAGE for invalid names or options
 * @example
 * ```ts
 * import { combineRegistries, Registry } from 'disco-registry'
 * import { install } from 'disco-registry/grpc'
 *
 * const dc1 = await Registry.open({ context: 'dc1' })
 * const dc2 = await Registry.open({ context: 'dc2' })
 * install({ discovery: combineRegistries({ dc1, dc2 }, { from: 'dc1,dc2' }) })
 * ```
 */
export function combineRegistries(
  registries: Readonly<Record<string, Discovery>>,
  { from = Object.keys(registries).join(','), random = Math.random }: CombineOptions = {},
): Discovery {
  const named = new Map(Object.entries(registries))
  const combined = new Combined(named, requireKnown(parseOrigins(from), named), random)
  // Each name must be valid in a target.
  parseOrigins([...named.keys()].join(','), 'names of registries')
  return combined
}

class Combined implements Discovery {
  constructor(
    private readonly registries: ReadonlyMap<string, Discovery>,
    private readonly origins: Origins,
    private readonly random: () => number,
  ) {}

  originsOf(from: string | undefined): Origins {
    return from === undefined ? this.origins : requireKnown(parseOrigins(from), this.registries)
  }

  async *watch({ from, ...query }: Query, signal: AbortSignal): AsyncGenerator<Update, void, void> {
    const [first, ...more] = this.originsOf(from)
    if (more.length === 0) {
      yield* this.of(first).watch(query, signal)
      return
    }
    const ending = new AbortController()
    const end = () => ending.abort()
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    try {
      yield* merged(
        [first, ...more].map((origin) =>
          lastingWatch(this.of(origin), origin, query, ending.signal, this.random),
        ),
      )
    } finally {
      signal.removeEventListener('abort', end)
      end()
    }
  }

  async explainEmpty({ from, ...query }: Query): Promise<string> {
    const origins = this.originsOf(from)
    const explained = await Promise.all(
      origins.map(async (origin) => {
        // The watch of that registry reports the error.
        const text = await this.of(origin)
          .explainEmpty?.(query)
          .catch(() => undefined)
        return origins.length === 1 ? text : text && `${origin.registry}: ${text}`
      }),
    )
    return explained.filter(Boolean).join('; ')
  }

  private of({ registry }: Origin): Discovery {
    return this.registries.get(registry) as Discovery
  }
}

/** @throws DiscoError USAGE for an unknown registry */
function requireKnown(origins: Origins, registries: ReadonlyMap<string, Discovery>): Origins {
  const unknown = origins.find(({ registry }) => !registries.has(registry))
  if (unknown === undefined) return origins
  const names = [...registries.keys()]
  throw new DiscoError('USAGE', `No registry "${unknown.registry}"`, {
    suggestions: nameSuggestions(unknown.registry, names),
  })
}
