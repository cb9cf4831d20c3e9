import type { Query } from '../../domain/discovery.js'
import { requireChosen } from '../../domain/endpoint-filter.js'
import { DiscoError } from '../../domain/errors.js'
import { formatSelector, type Selector } from '../../domain/selector.js'
import type { XdsServer } from '../../xds/xds-server.js'
import { requireExisting } from '../registries/parts.js'
import type { OpenedRegistries } from './sources.js'

/** The named services without any registered endpoint. */
export function absentServices({ catalog }: XdsServer, named: readonly string[]): readonly string[] {
  const empty = new Set<string>()
  for (const [name, { endpoints }] of catalog.services()) if (endpoints.length === 0) empty.add(name)
  return named.filter((name) => empty.has(name))
}

/** Why a named service has no endpoint: NOT_FOUND with the nearest names, or the layout in which it is registered. */
export async function whyAbsent(
  { registries, discovery }: OpenedRegistries,
  query: Query,
): Promise<DiscoError> {
  try {
    await requireExisting(registries, query.service)
    // The service has endpoints, but not in the layout of the target.
    const searched = await discovery.explainEmpty?.(query)
    return new DiscoError('NOT_FOUND', `No endpoint of ${query.service}${searched ? `: ${searched}` : ''}`)
  } catch (thrown) {
    return DiscoError.from(thrown)
  }
}

/**
 * A NOT_FOUND error, with the existing values, for each service in which the canary selects no endpoint.
 *
 * @param named the services of the command line. If empty, all services are served, and the canary must select an
 *   endpoint of only one of them
 */
export function emptyCanaries(
  { catalog }: XdsServer,
  canary: Selector,
  named: readonly string[],
): readonly DiscoError[] {
  const services = [...catalog.services()].filter(([, { endpoints }]) => endpoints.length > 0)
  const all = services.flatMap(([, { endpoints }]) => endpoints)
  if (all.length === 0) return []
  if (named.length === 0) return absence(canary, all, 'any service')
  return services.flatMap(([name, { endpoints }]) => absence(canary, endpoints, name))
}

function absence(
  select: Selector,
  endpoints: Parameters<typeof requireChosen>[1],
  service: string,
): readonly DiscoError[] {
  try {
    requireChosen({ select, addrs: [], host: null }, endpoints, service)
    return []
  } catch (thrown) {
    const { code, suggestions } = DiscoError.from(thrown)
    const message = `--canary ${formatSelector(select)} selects no endpoint of ${service}`
    return [new DiscoError(code, message, { suggestions, cause: thrown })]
  }
}
