/**
 * Exit code of each kind of failure; scripts rely on these numbers. If several failures occur, the first of 130, 3,
 * 4, 7, 8 wins. A single failed call (`--n 1`) exits with 64 + its gRPC status instead.
 */
const EXIT_BY_CODE = {
  INTERNAL: 1,
  USAGE: 2,
  ETCD_UNREACHABLE: 3,
  ETCD_DENIED: 3,
  /** The answer to a write was lost, and reading the key again did not show whether etcd applied the write. */
  OUTCOME_UNKNOWN: 3,
  /** etcd refuses a revision: its history was compacted, or it is in the future. */
  REVISION_UNAVAILABLE: 3,
  NOT_FOUND: 4,
  WAIT_TIMED_OUT: 5,
  CONFLICT: 6,
  RPC_FAILED: 7,
  VERDICT_FAILED: 8,
  INTERRUPTED: 130,
} as const

/**
 * The kind of failure, for programs: texts may change, codes do not.
 *
 * - `USAGE`: an argument, option, variable or file is invalid
 * - `ETCD_UNREACHABLE`: etcd did not answer in time, or refused for a temporary reason (`reason`)
 * - `ETCD_DENIED`: etcd refused the login, or the user's roles do not cover the keys (`reason`)
 * - `OUTCOME_UNKNOWN`: the answer to a write was lost; reading the key again did not show whether etcd applied it
 * - `REVISION_UNAVAILABLE`: etcd has compacted the revision, or has not reached it yet
 * - `NOT_FOUND`: no such service, endpoint or method
 * - `CONFLICT`: another client holds the key or changed it, or the change needs `force`
 * - `WAIT_TIMED_OUT`: a condition was not met in time
 * - `INTERNAL`: a bug, or an unexpected error of another library (`cause`)
 * - `RPC_FAILED`, `VERDICT_FAILED`, `INTERRUPTED`: only from the command line
 */
export type ErrorCode = keyof typeof EXIT_BY_CODE

/** Whether a later try may succeed: etcd did not answer in time, or refused for a temporary reason. */
export function isLinkFailure({ code }: DiscoError): boolean {
  return code === 'ETCD_UNREACHABLE' || code === 'OUTCOME_UNKNOWN'
}

/**
 * Distinguishes refusals by etcd with the same code, for programs. `login`: wrong user or password. `permission`: the
 * user's roles do not cover the keys. `no-space`: the NOSPACE alarm refuses writes. `overloaded`: etcd has too many
 * requests. `no-leader`: the cluster has no leader. `refused`: any other refusal.
 */
export type EtcdReason = 'login' | 'permission' | 'no-space' | 'overloaded' | 'no-leader' | 'refused'

/** Optional parts of a {@link DiscoError}. */
export interface DiscoErrorOptions {
  /** Why etcd refused; absent if etcd did not answer, or if the error is not from etcd. */
  reason?: EtcdReason
  /** The next steps for the user, one line each. */
  suggestions?: readonly string[]
  cause?: unknown
  /** Overrides the exit code of the error code. */
  exit?: number
}

/**
 * The only error class. `message` has the failure and its cause; `suggestions` has the next steps, one line each.
 * Programs decide by `code`, and by `reason` if etcd refused; messages may change.
 *
 * @example
 * ```ts
 * import { DiscoError, Registry } from 'disco-registry'
 *
 * const registry = await Registry.open()
 * try {
 *   await registry.setWeight({ service: 'hello', addr: '1.2.3.4:1001' }, { kind: 'set', weight: 5 })
 * } catch (error) {
 *   if (!(error instanceof DiscoError) || error.code !== 'NOT_FOUND') throw error
 *   console.error(error.message, ...error.suggestions)
 * }
 * ```
 */
export class DiscoError extends Error {
  override readonly name = 'DiscoError'
  readonly code: ErrorCode
  readonly exit: number
  readonly suggestions: readonly string[]
  /** Why etcd refused; null if etcd did not answer, or if the error is not from etcd. */
  readonly reason: EtcdReason | null

  constructor(code: ErrorCode, message: string, options: DiscoErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.exit = options.exit ?? EXIT_BY_CODE[code]
    this.suggestions = options.suggestions ?? []
    this.reason = options.reason ?? null
  }

  /** Converts any thrown value to a DiscoError; an unexpected one becomes INTERNAL with the thrown value as cause. */
  static from(thrown: unknown): DiscoError {
    if (thrown instanceof DiscoError) return thrown
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    return new DiscoError('INTERNAL', message, { cause: thrown })
  }
}

/**
 * The error for an invalid value.
 *
 * @param source the flag, argument or environment variable that contains the text
 * @param text the invalid value, without secrets
 */
export function invalidValue(
  source: string,
  text: string,
  expected: string,
  suggestions: readonly string[] = [],
): DiscoError {
  const message = `Invalid ${source} "${text}": expected ${expected}`
  return new DiscoError('USAGE', message, { suggestions })
}
