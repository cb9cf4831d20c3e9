import { hostPort } from '../../domain/address.js'
import { ofRegistry, roundShare } from '../../domain/documents.js'
import { shareFractions } from '../../domain/shares.js'
import type { RegisteredEndpoint } from '../../grpc/resolver/endpoint.js'
import type { Resolution } from '../../grpc/resolver/resolve.js'
import type { NoteDoc } from '../notes/notes.js'
import { type ResolvedRegistryDoc, resolvedRegistryDoc } from '../registries/document.js'

/** A resolved target, and the source of its list of endpoints. */
export interface SourceDoc {
  /** The full target, as passed to a channel. */
  readonly target: string
  /** The service that the target names; null for a target of another scheme. */
  readonly service: string | null
  /** `etcd`, `cache` (the last good list, because etcd is unreachable), or the scheme of another resolver. */
  readonly source: string
  /** The revision of the list; null if it does not come from the registry. */
  readonly rev: string | null
  /** The age of a list from the cache; 0 if it does not come from the cache. */
  readonly ageMs: number
  /** Why the list may be out of date: the error of etcd. Null if etcd answered. */
  readonly stale: string | null
}

export interface ResolvedEndpointDoc {
  /** The name of its registry; only with several registries. */
  readonly registry?: string
  readonly key: string
  readonly addresses: readonly string[]
  /** The effective weight; 0 if the endpoint is drained. */
  readonly weight: number
  /** The endpoint's share of the calls, from 0 to 1, rounded to four decimals. */
  readonly share: number
  readonly attributes: {
    readonly version: string
    readonly id: string | null
    readonly layout: string
    readonly metadata: Readonly<Record<string, string>>
  }
}

export interface ResolveDoc extends SourceDoc {
  readonly schema: 'disco.resolve/v1'
  readonly authority: string
  /** The default service config of a channel; null for grpc-js's default, pick_first. */
  readonly serviceConfig: object | null
  /** Only with several registries. `rev` is then the revision of the first registry that has a list. */
  readonly registries?: readonly ResolvedRegistryDoc[]
  readonly endpoints: readonly ResolvedEndpointDoc[]
  /** Registered endpoints with a problem, which clients never dial. */
  readonly unusable: readonly UnusableEndpointDoc[]
  /** Warnings, such as that a program resolves this target to other endpoints, or clients cannot dial an address. */
  readonly notes: readonly NoteDoc[]
}

export interface UnusableEndpointDoc {
  readonly key: string
  readonly addr: string
  readonly problem: string
}

export function resolveDoc(resolution: Resolution, notes: readonly NoteDoc[] = []): ResolveDoc {
  const { authority, serviceConfig, endpoints, list } = resolution
  const weighted = endpoints.map(({ registration, weight }) => ({ ...registration, weight }))
  const shares = endpoints.some(({ weight }) => weight > 0) ? shareFractions(weighted) : []
  return {
    schema: 'disco.resolve/v1',
    ...sourceDoc(resolution),
    authority,
    serviceConfig,
    ...(list?.registries ? { registries: list.registries.map(resolvedRegistryDoc) } : {}),
    endpoints: endpoints.map((endpoint, at) => resolvedEndpointDoc(endpoint, shares[at] ?? 0)),
    unusable: unusableOf(resolution),
    notes,
  }
}

export function unusableOf({ list }: Pick<Resolution, 'list'>): UnusableEndpointDoc[] {
  return (list?.registered ?? []).flatMap(({ key, addr, problem }) =>
    problem === null ? [] : [{ key, addr, problem: problem.text }],
  )
}

export function sourceDoc({ target, service, list }: Resolution): SourceDoc {
  const scheme = target.slice(0, target.indexOf(':'))
  return {
    target,
    service,
    source: list && list.cachedAgeMs !== null ? 'cache' : scheme,
    rev: list && String(list.revision),
    ageMs: list?.cachedAgeMs ?? 0,
    stale: list?.stale?.message ?? null,
  }
}

function resolvedEndpointDoc(
  { registration, weight, addresses }: RegisteredEndpoint,
  share: number,
): ResolvedEndpointDoc {
  const { key, version, id, layout, metadata } = registration
  return {
    ...ofRegistry(registration),
    key,
    addresses: addresses.map((address) => ('path' in address ? `unix:${address.path}` : hostPort(address))),
    weight,
    share: roundShare(share),
    attributes: { version, id: id ?? null, layout, metadata },
  }
}
