import type { HealthById } from '../../agent/health/survey.js'
import { addressHints } from '../../domain/address-hints.js'
import { roundShare, type StoredEndpointDoc } from '../../domain/documents.js'
import { type Endpoint, endpointId, isReadable, type Revision } from '../../domain/endpoint.js'
import { ALL_ENDPOINTS, chosenOf, type EndpointFilter } from '../../domain/endpoint-filter.js'
import { findLayout, type Hint } from '../../domain/layouts/index.js'
import { shareWithin, weightsAreUnset } from '../../domain/shares.js'
import type { EndpointList, Ttl } from '../../registry/registry.js'
import type { SortValue } from '../flags/listing.js'
import { healthText } from '../health/document.js'
import type { RegistryDoc } from '../registries/document.js'

const NOT_PROBED: HealthById = new Map()

export interface EndpointDoc extends StoredEndpointDoc {
  /** Only with several registries. */
  readonly registry?: string
  readonly layout: string
  /** Why clients cannot dial the endpoint; null if the registration is valid. */
  readonly problem: string | null
  /** Hints about the endpoint from its layout, and about its address. */
  readonly hints: readonly Hint[]
  /** Whether the endpoint is healthy; null unless it was probed. */
  readonly ready: boolean | null
  /** The health in one or two words, see `healthText`; null unless the endpoint was probed. */
  readonly health: string | null
}

export interface EndpointsDoc {
  readonly schema: 'disco.endpoints/v1'
  readonly service: string
  readonly rev: string
  /** Whether all weights are 0: they are then unset, and all endpoints get equal shares. */
  readonly weightsUnset: boolean
  /** Whether etcd was asked for the remaining time of each lease; if not, `ttlSeconds` is null. */
  readonly ttlsAsked: boolean
  /**
   * Only with several registries. `rev` is then the revision of the first registry that answered, and each registry has
   * its own shares.
   */
  readonly registries?: readonly RegistryDoc[]
  readonly endpoints: readonly EndpointDoc[]
}

/** Selected endpoints of several services. */
export interface SelectedDoc {
  readonly schema: 'disco.selected/v1'
  readonly rev: string
  /** Only with several registries. */
  readonly registries?: readonly RegistryDoc[]
  /** The services with a selected endpoint. With several registries, a service has an entry for each of them. */
  readonly services: readonly EndpointsDoc[]
}

/** The services with a chosen endpoint. @param services the chosen endpoints of every service */
export function selectedDoc(revision: Revision, services: readonly EndpointsDoc[]): SelectedDoc {
  return {
    schema: 'disco.selected/v1',
    rev: String(revision),
    services: services.filter(({ endpoints }) => endpoints.length > 0),
  }
}

/**
 * The endpoints that the filter chooses. `share` and `weightsUnset` are those of the whole service.
 *
 * @param list all endpoints of the service
 * @param ttls by lease; null if etcd was not asked for them
 * @param health by endpoint; empty if the endpoints were not probed
 * @param isShared whether other machines use the registry
 */
export function endpointsDoc(
  service: string,
  { revision, endpoints }: Pick<EndpointList, 'revision' | 'endpoints'>,
  ttls: ReadonlyMap<string, Ttl> | null,
  health: HealthById = NOT_PROBED,
  filter: EndpointFilter = ALL_ENDPOINTS,
  isShared = false,
): EndpointsDoc {
  const shareOf = shareWithin(endpoints)
  const addressed = addressHints(endpoints, isShared)
  return {
    schema: 'disco.endpoints/v1',
    service,
    rev: String(revision),
    weightsUnset: weightsAreUnset(endpoints),
    ttlsAsked: ttls !== null,
    endpoints: chosenOf(filter, endpoints).map((endpoint) =>
      endpointDoc(endpoint, shareOf(endpoint), ttls, health, addressed.get(endpoint)),
    ),
  }
}

function endpointDoc(
  endpoint: Endpoint,
  share: number,
  ttls: ReadonlyMap<string, Ttl> | null,
  health: HealthById,
  addressed: readonly Hint[] = NO_HINTS,
): EndpointDoc {
  const { key, layout, addr, version, weight, lease, metadata, problem } = endpoint
  const ttl = lease === null ? undefined : ttls?.get(lease)
  const checked = health.size > 0 ? health.get(endpointId(endpoint)) : undefined
  // Without spreads: a list has up to 100,000 endpoints, and spreads take thirty times as long.
  return {
    key,
    layout,
    addr,
    version,
    weight,
    share: roundShare(share),
    lease,
    ttlSeconds: ttl?.ttlSeconds ?? null,
    grantedTtlSeconds: ttl?.grantedTtlSeconds ?? null,
    createRevision: String(endpoint.createRevision),
    modRevision: String(endpoint.modRevision),
    metadata,
    problem: problem?.text ?? null,
    hints: addressed.length === 0 ? hintsOf(endpoint) : [...hintsOf(endpoint), ...addressed],
    ready: checked?.isHealthy ?? null,
    health: checked ? healthText(checked) : null,
  }
}

const NO_HINTS: readonly Hint[] = []

/** Hints about the endpoint from its layout. */
export function hintsOf(endpoint: Endpoint): Hint[] {
  const hint = isReadable(endpoint) ? findLayout(endpoint.layout)?.hint(endpoint) : null
  return hint ? [hint] : []
}

/** The values of `--sort`, by the names of columns. */
export const ENDPOINT_VALUES: Readonly<Record<string, (endpoint: EndpointDoc) => SortValue>> = {
  address: ({ addr }) => addr,
  version: ({ version }) => version,
  weight: ({ weight }) => weight,
  share: ({ share }) => share,
  ready: ({ ready }) => (ready === null ? null : Number(ready)),
  ttl: ({ ttlSeconds }) => ttlSeconds,
  lease: ({ lease }) => lease,
  rev: ({ modRevision }) => modRevision,
  created: ({ createRevision }) => createRevision,
  layout: ({ layout }) => layout,
  key: ({ key }) => key,
  registry: ({ registry }) => registry ?? null,
}
