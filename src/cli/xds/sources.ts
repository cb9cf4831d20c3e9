import type { Discovery, Update } from '../../domain/discovery.js'
import type { ListSource } from '../../xds/service-lists.js'
import type { OpenRegistries } from '../base-command.js'
import type { ServedQuery } from '../flags/xds.js'

/** The registries of a control plane. */
export interface OpenedRegistries {
  readonly registries: OpenRegistries
  /** The registries combined into one. */
  readonly discovery: Discovery
}

/**
 * The lists that a control plane watches: one for each named service. Without names, a single watch of each registry
 * covers all services.
 *
 * @param from the registries as -C names them
 */
export async function sourcesOf(
  { registries, discovery }: OpenedRegistries,
  queries: readonly ServedQuery[],
  from: string | undefined,
): Promise<readonly ListSource[]> {
  if (queries.length > 0) return queries.map((query) => ({ discovery, query, service: query.service }))
  const [only, ...others] = registries
  const query = { service: '' }
  if (others.length === 0) return [{ discovery: wholeOf(only), query, service: null }]
  const { combineRegistries } = await import('../../registry/combined/combine.js')
  const whole = registries.map((open) => [open.origin?.registry ?? '', wholeOf(open)] as const)
  const combined = combineRegistries(Object.fromEntries(whole), from === undefined ? {} : { from })
  return [{ discovery: combined, query, service: null }]
}

/** A discovery whose list contains the endpoints of all services, whatever the query. */
function wholeOf({ registry }: OpenRegistries[number]): Discovery {
  return { watch: (_, signal): AsyncIterable<Update> => registry.follow(undefined, signal) }
}
