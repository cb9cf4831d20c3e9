import { DiscoError } from '../domain/errors.js'

/** A fault that etcd reports by its text: several faults share a gRPC code. */
export type EtcdFault =
  | 'user-empty'
  | 'auth-not-enabled'
  | 'auth-old-revision'
  | 'no-space'
  | 'too-many-requests'
  | 'no-leader'
  | 'leader-changed'
  | 'stopped'
  | 'timed-out'
  | 'compacted'
  | 'future-revision'
  | 'key-not-found'
  | 'too-many-operations'

/**
 * The documented texts of these faults: etcd, `api/v3rpc/rpctypes/error.go` (3.5, 3.6; 3.4:
 * `etcdserver/api/v3rpc/rpctypes`), without the prefixes `etcdserver: ` and `etcdserver: mvcc: `, since some paths of
 * etcd omit them. The error classes of etcd3 do not distinguish them either. A text may be followed by more: `request
 * timed out, possibly due to connection lost`.
 */
const TEXTS: Readonly<Record<EtcdFault, string>> = {
  // InvalidArgument: ErrGRPCUserEmpty, ErrGRPCAuthOldRevision.
  'user-empty': 'user name is empty',
  'auth-old-revision': 'revision of auth store is old',
  // FailedPrecondition: ErrGRPCAuthNotEnabled.
  'auth-not-enabled': 'authentication is not enabled',
  // ResourceExhausted: ErrGRPCNoSpace, ErrGRPCRequestTooManyRequests.
  'no-space': 'database space exceeded',
  'too-many-requests': 'too many requests',
  // Unavailable: ErrGRPCNoLeader, ErrGRPCLeaderChanged, ErrGRPCStopped, ErrGRPCTimeout….
  'no-leader': 'no leader',
  'leader-changed': 'leader changed',
  stopped: 'server stopped',
  'timed-out': 'request timed out',
  // OutOfRange: ErrGRPCCompacted, ErrGRPCFutureRev.
  compacted: 'required revision has been compacted',
  'future-revision': 'required revision is a future revision',
  // InvalidArgument: ErrGRPCKeyNotFound, for a put that keeps the lease of a key that is gone.
  'key-not-found': 'key not found',
  // InvalidArgument: ErrGRPCTooManyOps.
  'too-many-operations': 'too many operations in txn request',
}

/** The fault that a text of etcd describes; null for any other text. */
export function etcdFault(text: string): EtcdFault | null {
  const faults = Object.keys(TEXTS) as EtcdFault[]
  return faults.find((fault) => text.includes(TEXTS[fault])) ?? null
}

/** The fault of etcd that caused a translated error; null for any other error. */
export function faultOf(error: unknown): EtcdFault | null {
  return error instanceof DiscoError ? etcdFault(String(error.cause)) : null
}

/** Whether the text of an error came from etcd, and not from a failed connection. */
export function isFromEtcd(text: string): boolean {
  return text.includes('etcdserver: ')
}

/** The alarms in the errors of a member's status, such as `memberID:1234 alarm:NOSPACE `: etcd's AlarmMember as text. */
export function alarmsIn(errors: readonly string[]): string[] {
  return errors.flatMap((text) => /\balarm:(\w+)/.exec(text)?.[1] ?? [])
}
