import type { RegistryState } from '../../grpc/resolver/list-part.js'

/** One of several registries that were read. */
export interface RegistryDoc {
  readonly registry: string
  /** Null if it could not be read. */
  readonly rev: string | null
  /** Why the registry could not be read, or its list may be out of date; null if neither is the case. */
  readonly problem: string | null
}

/** One of several registries with endpoints of a target. */
export interface ResolvedRegistryDoc extends RegistryDoc {
  /** Priority 0 is used first; a higher number only while no endpoint of a lower number is READY. */
  readonly priority: number
  /** Weight of the registry among those of the same priority. */
  readonly weight: number
  readonly endpoints: number
  /** The age of a list from the cache; 0 for one from etcd. */
  readonly ageMs: number
}

export function resolvedRegistryDoc({
  registry,
  priority,
  weight,
  revision,
  endpoints,
  stale,
  cachedAgeMs,
}: RegistryState): ResolvedRegistryDoc {
  return {
    registry,
    rev: revision === 0 ? null : String(revision),
    problem: stale?.message ?? null,
    priority,
    weight,
    endpoints,
    ageMs: cachedAgeMs ?? 0,
  }
}
