import { roundShare } from '../../domain/documents.js'
import { shareFractions } from '../../domain/shares.js'
import type { RegisteredEndpoint } from '../../grpc/resolver/endpoint.js'
import type { Resolution } from '../../grpc/resolver/resolve.js'
import type { NoteDoc } from '../notes/notes.js'
import { type ResolvedRegistryDoc, resolvedRegistryDoc } from '../registries/document.js'

/** The resolved target and the source of its list. */
export interface SourceDoc {
  /** In full, as passed to a channel. */
  readonly target: string
  /** The revision of the registry; null for a target of another scheme. */
  readonly service: string | null
  /** `etcd`, `cache` (the last good list, while etcd is unreachable), or the scheme of another resolver. */
  readonly source: string
  /** Null if the list is not the registry's. */
  readonly rev: string | null
  /** The age of a list from the cache; 0 for any other. */
  readonly ageMs: number
  /** Why etcd did not answer. */
  readonly stale: string | null
}

export interface ResolvedEndpointDoc {
  /** Only with several registries. */
  readonly registry?: string
  readonly key: string
  readonly addresses: readonly string[]
  /** The effective weight: 0 is drained. */
  readonly weight: number
  /** Among the resolved endpoints, from 0 to 1, to four digits. */
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
  /** Only with several registries. `rev` is then that of the first which has a list. */
  readonly registries?: readonly ResolvedRegistryDoc[]
  readonly endpoints: readonly ResolvedEndpointDoc[]
  /** Registered, and never dialled. */
  readonly unusable: readonly UnusableEndpointDoc[]
  /** Where a program with this target sees other endpoints, and addresses that clients cannot dial. */
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
  const { key, version, id, layout, metadata, origin } = registration
  return {
    ...(origin ? { registry: origin.registry } : {}),
    key,
    addresses: addresses.map((address) =>
      'path' in address ? `unix:${address.path}` : hostPort(address.host, address.port),
    ),
    weight,
    share: roundShare(share),
    attributes: { version, id: id ?? null, layout, metadata },
  }
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
