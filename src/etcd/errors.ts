import { DiscoError, type DiscoErrorOptions, type EtcdReason } from '../domain/errors.js'
import { type FileSource, sourceName } from '../domain/file-source.js'
import {
  type ConnectionFailure,
  connectionFailure,
  isCertificateRefusal,
  socketFailure,
} from '../net/connection-failure.js'
import {
  bareReason,
  CONNECTION_CLAUSES,
  type ConnectionProblem,
  connectionClause,
  withClientCertificate,
} from '../net/connection-problem.js'
import { callFailure } from '../net/grpc-js-texts.js'
import { type Access, grantOf, keysOf } from './access.js'
import { type EtcdFault, etcdFault, isFromEtcd } from './error-texts.js'
import {
  ClientClosedError,
  castGrpcError,
  EtcdAuthenticationFailedError,
  EtcdInvalidAuthTokenError,
  EtcdLeaseInvalidError,
  EtcdPermissionDeniedError,
  GRPCDeadlineExceededError,
  GRPCGenericError,
  GRPCResourceExhastedError,
  isRecoverableError,
} from './etcd3.js'

/** Facts for the message about a failed request. */
export interface LinkFacts {
  /** The members that failed in this way. */
  readonly endpoints: readonly string[]
  readonly endpointsSource: string
  readonly user?: string | undefined
  readonly certFile?: FileSource | undefined
  /** The number and duration of the tries of a request; absent for a stream. */
  readonly retries?: { readonly tries: number; readonly elapsedMs: number }
  /** The permission that the request needs. */
  readonly access?: Access
  /** The protocol of a member that dropped the connection, if it differs from that of its URL. */
  readonly speaks?: 'tls' | 'plaintext' | null
}

/** Whether the same request may succeed at another member, or a little later. */
export function isTransient(thrown: unknown): boolean {
  if (thrown instanceof GRPCResourceExhastedError) return false
  return thrown instanceof Error && isRecoverableError(thrown)
}

/** Failures of a connection after which no request was sent. */
const UNCONNECTED: ReadonlySet<ConnectionFailure | null> = new Set(['refused', 'no-route', 'unknown-host'])

/** Answers after which etcd may still carry out the write, because it had been proposed to the other members. */
const PROPOSED: ReadonlySet<EtcdFault | null> = new Set(['timed-out', 'leader-changed', 'stopped'])

/** Whether etcd may have carried out a failed write: there was no answer, or the answer does not exclude it. */
export function mayHaveArrived(thrown: unknown): boolean {
  const text = String(thrown)
  if (!isTransient(thrown) || wasUnsent(text)) return false
  return !isFromEtcd(text) || PROPOSED.has(etcdFault(text))
}

function wasUnsent(text: string): boolean {
  const failure = callFailure(text)
  return failure === null
    ? UNCONNECTED.has(connectionFailure(text))
    : failure === 'no-connection' || failure === 'no-pick'
}

/** Whether a new login may help: the token has expired, or predates a change of etcd's users and roles. */
export function isStaleToken(thrown: unknown): boolean {
  return (
    typed(thrown) instanceof EtcdInvalidAuthTokenError || etcdFault(String(thrown)) === 'auth-old-revision'
  )
}

/**
 * Whether another password or certificate may help. A server that refuses a client certificate often drops the
 * connection without an alert.
 */
export function isCredentialProblem(thrown: unknown): boolean {
  if (typed(thrown) instanceof EtcdAuthenticationFailedError) return true
  return isCertificateRefusal(String(thrown)) || wasDropped(thrown)
}

/** Whether the connections to a member had been closed before the request was sent. */
export function wasClosed(thrown: unknown): boolean {
  return thrown instanceof ClientClosedError
}

/** Whether the lease of the request does not exist (any longer). */
export function isUnknownLease(thrown: unknown): boolean {
  return thrown instanceof EtcdLeaseInvalidError
}

/** Converts gRPC's errors, with which raw streams fail, to etcd3's classes, as etcd3 does for its own requests. */
function typed(thrown: unknown): unknown {
  const isGrpcError = thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'number'
  return isGrpcError ? castGrpcError(thrown) : thrown
}

/** Whether a member accepted the connection and dropped it without an error, as one that requires TLS does. */
export function wasDropped(thrown: unknown): boolean {
  const text = String(thrown)
  const failure = connectionFailure(text)
  if (failure === 'dropped' || failure === 'tls-dropped' || socketFailure(text) === 'reset') return true
  const ended = callFailure(text)
  return ended === 'no-connection' || ended === 'connection-dropped'
}

/**
 * The error of a request that failed at every member: the last failure, with different failures of other members as
 * suggestions.
 */
export function translateAll(failures: ReadonlyMap<string, unknown>, link: LinkFacts): DiscoError {
  const last = [...failures.values()].at(-1)
  const wordsOf = (thrown: unknown) => translate(thrown, { ...link, endpoints: ['X'] }).message
  const members = [...failures.keys()]
  const isAlike = (endpoint: string) => wordsOf(failures.get(endpoint)) === wordsOf(last)
  const error = translate(last, { ...link, endpoints: members.filter(isAlike) })
  if (error.code !== 'ETCD_UNREACHABLE') return error
  const others = members.filter((endpoint) => !isAlike(endpoint))
  const { retries: _, ...facts } = link
  const remarks = others.map(
    (endpoint) => translate(failures.get(endpoint), { ...facts, endpoints: [endpoint] }).message,
  )
  const { code, message, cause, suggestions, reason } = error
  return new DiscoError(
    code,
    message,
    withReason({ cause, suggestions: [...suggestions, ...remarks] }, reason),
  )
}

function withReason(options: DiscoErrorOptions, reason: EtcdReason | null): DiscoErrorOptions {
  return reason === null ? options : { ...options, reason }
}

/** Converts any error of etcd3 or gRPC to an error about the endpoints that the user gave. */
export function translate(error: unknown, link: LinkFacts): DiscoError {
  const thrown = typed(error)
  if (thrown instanceof DiscoError) return thrown
  const text = (thrown instanceof Error ? thrown.message : String(thrown)).replace(/^\d+ [A-Z_]+: /, '')
  const where = link.endpoints.map((endpoint) => endpoint.replace(/^https?:\/\//, '')).join(', ')
  const hostOf = where.replace(/:\d+/g, '')
  const denied = (reason: EtcdReason, message: string, ...suggestions: string[]) =>
    new DiscoError('ETCD_DENIED', message, { cause: thrown, suggestions, reason })
  const unreachable = (message: string, ...suggestions: string[]) =>
    new DiscoError('ETCD_UNREACHABLE', message, {
      cause: thrown,
      suggestions: [[`From ${link.endpointsSource}`, ...suggestions].join('. ')],
    })

  const refuses = (reason: EtcdReason, message: string, ...suggestions: string[]) =>
    new DiscoError('ETCD_UNREACHABLE', message, { cause: thrown, suggestions, reason })

  if (thrown instanceof EtcdAuthenticationFailedError)
    return denied('login', 'Wrong user or password for etcd')
  if (thrown instanceof EtcdPermissionDeniedError) {
    const { access } = link
    const grant = access && grantOf(access)
    return denied(
      'permission',
      `etcd denies ${link.user ?? 'this user'} the permission${access ? ` on ${keysOf(access)}` : ''}`,
      grant ? `Grant it: ${grant}` : 'Ask for a role that covers the keys',
    )
  }
  const fault = etcdFault(text)
  if (fault === 'user-empty') {
    return denied('login', 'etcd asks for a user', 'Give --user and --password-file, or ETCDCTL_USER')
  }
  if (fault === 'auth-not-enabled') {
    return denied('login', `etcd at ${where} has no users: its authentication is off`, 'Leave out --user')
  }
  const failure = connectionFailure(text)
  const problem = preciseProblem(text, link)
  const remedy = problem && remedyOf(problem, link.certFile)
  if (remedy) return unreachable(`etcd at ${where} ${connectionClause(text, problem)}`, remedy)
  if (failure === 'unknown-host') return unreachable(`Unknown host ${hostOf}`)
  const { retries } = link
  const seconds = retries ? `${(retries.elapsedMs / 1000).toFixed(1)}s` : ''
  const tried = retries ? `, ${retries.tries} tries in ${seconds}` : ''
  const unreached = failure ?? socketFailure(text)
  if (unreached === 'refused' || unreached === 'no-route' || unreached === 'timed-out') {
    return unreachable(
      `etcd is not reachable at ${where} (${CONNECTION_CLAUSES[unreached]}${tried})`,
      ...(unreached === 'refused' ? ['Start a local one: disco dev'] : []),
    )
  }
  if (thrown instanceof GRPCDeadlineExceededError) {
    const within = retries ? ` in ${seconds}` : ''
    return unreachable(`No answer from etcd at ${where}${within}`, 'More time: --command-timeout 30s')
  }
  if (wasDropped(text)) {
    return unreachable(`etcd at ${where} ${CONNECTION_CLAUSES.dropped}${tried && ` (${tried.slice(2)})`}`)
  }
  if (thrown instanceof EtcdInvalidAuthTokenError) {
    return unreachable(`etcd at ${where} no longer accepts the token of this login`)
  }
  if (fault === 'no-space') {
    return refuses(
      'no-space',
      `etcd at ${where} is out of space and refuses writes (NOSPACE alarm)`,
      'Make room (etcdctl compact, defrag), then: etcdctl alarm disarm',
    )
  }
  if (fault === 'too-many-requests') {
    return refuses('overloaded', `etcd at ${where} is overloaded: it refuses with "too many requests"`)
  }
  if (fault === 'no-leader' || fault === 'leader-changed') {
    return refuses(
      'no-leader',
      `etcd at ${where} has no leader`,
      'A majority of its members must run and reach each other',
    )
  }
  if (isTransient(thrown)) return unreachable(`etcd at ${where} is not available: ${connectionClause(text)}`)
  // Other refusals, such as a lost lease: etcd is reachable, and may answer differently later.
  if (thrown instanceof GRPCGenericError || isUnknownLease(thrown)) {
    // The message of etcd3 has etcd's text in the place of the lease id.
    const why = isUnknownLease(thrown) ? 'the lease has expired or was revoked' : bareReason(text)
    return refuses('refused', `etcd at ${where} refuses: ${why}`, `From ${link.endpointsSource}`)
  }
  return DiscoError.from(thrown)
}

/** The problem of a connection, with what is known beside the text of its error. */
function preciseProblem(text: string, { speaks, certFile }: LinkFacts): ConnectionProblem | null {
  return speaks && wasDropped(text)
    ? `server-speaks-${speaks}`
    : withClientCertificate(connectionFailure(text), certFile)
}

/** What the user can do about a server of another protocol or a failed TLS handshake; null for other problems. */
function remedyOf(problem: ConnectionProblem, certFile: FileSource | undefined): string | null {
  switch (problem) {
    case 'not-grpc':
      return "Give etcd's port for clients, 2379 by default"
    case 'server-speaks-plaintext':
      return 'Use http://, and no --cacert'
    case 'server-speaks-tls':
      return 'Use https:// or --cacert'
    case 'server-certificate-of-another-ca':
      return 'Give its CA with --cacert'
    case 'server-certificate-for-another-name':
      return 'Use a host name that is in its certificate'
    case 'server-certificate-expired':
      return 'Renew it, or check the clock of this machine'
    case 'server-certificate-not-yet-valid':
      return 'Check the clock of this machine'
    case 'client-certificate-missing':
      return 'Give one with --cert and --key'
    case 'client-certificate-expired':
      return certFile ? `Renew ${sourceName(certFile)}` : 'Give one with --cert and --key'
    case 'client-certificate-of-another-ca':
    case 'client-certificate-refused':
      return 'It must be signed by a CA that etcd trusts'
    default:
      return null
  }
}
