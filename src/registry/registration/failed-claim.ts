import type { EndpointRecord } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import type { GrantedLease } from '../../etcd/lease.js'
import { explainUnknown, isUnknown } from '../etcd-refusals.js'

/** A key that `takeover` took from its holder, or may have taken. */
export interface TakenKey {
  readonly registered: EndpointRecord
  readonly certainty: 'taken' | 'unknown'
}

/** What a failed registration may have changed in etcd. */
export interface FailedClaims {
  readonly records: readonly EndpointRecord[]
  readonly taken: readonly TakenKey[]
  readonly lease: GrantedLease
  /** Whether etcd has revoked the lease, and so has deleted all our keys. */
  readonly isRevoked: boolean
}

/**
 * The error of a failed registration, with its possible changes in etcd: keys under a lease that still lives, and
 * keys taken from a former holder, which revoking the lease does not give back.
 */
export function explainFailedClaim(
  error: unknown,
  { records, taken, lease, isRevoked }: FailedClaims,
): unknown {
  const suggestions = formerHolders(taken)
  if (!isRevoked) {
    return explainUnknown(
      withSuggestions(error, suggestions),
      `${names(records)} may have been registered`,
      `No client renews its lease ${lease.id}: it expires within ${lease.ttlSeconds}s after etcd is back`,
      ...suggestions,
    )
  }
  const unknown = taken.filter(({ certainty }) => certainty === 'unknown')
  if (unknown.length > 0) {
    const what = names(unknown.map(({ registered }) => registered))
    return explainUnknown(error, `${what} may have been taken over, and removed again`, ...suggestions)
  }
  // The lease is revoked, so a key that may have been created under it is certainly gone.
  return withSuggestions(isUnknown(error) ? error.cause : error, suggestions)
}

function formerHolders(taken: readonly TakenKey[]): string[] {
  return taken.map(({ registered: { service, addr }, certainty }) => {
    const is = certainty === 'taken' ? 'is' : 'may be'
    return `The key of the former holder of ${addr} ${is} gone: look with disco ls ${service}, and restart its registrar`
  })
}

function names(records: readonly EndpointRecord[]): string {
  return records.map(({ service, addr }) => `${service} ${addr}`).join(', ')
}

function withSuggestions(thrown: unknown, more: readonly string[]): unknown {
  if (more.length === 0 || isUnknown(thrown)) return thrown
  const error = DiscoError.from(thrown)
  const { code, message, exit, cause, suggestions, reason } = error
  return new DiscoError(code, message, {
    exit,
    cause,
    suggestions: [...more, ...suggestions],
    ...(reason === null ? {} : { reason }),
  })
}
