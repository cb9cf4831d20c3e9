import type { FileSource } from '../domain/file-source.js'
import {
  type ConnectionFailure,
  connectionFailure,
  opensslReason,
  type SocketFailure,
  socketFailure,
  wrongCertificateName,
} from './connection-failure.js'
import { hasExpired } from './files.js'
import { lastError } from './grpc-js-texts.js'

/** Why a connection failed: as the text of its error shows it, or more precisely if more is known. */
export type ConnectionProblem =
  | ConnectionFailure
  | SocketFailure
  /** Found by a probe after a connection in plaintext had been dropped. */
  | 'server-speaks-tls'
  /** Dropped without an alert by a server that, according to a probe, does not speak plaintext. */
  | 'tls-dropped-by-tls-server'
  /** Not accepted, and the client has no certificate. */
  | 'client-certificate-missing'
  /** Not accepted without a reason, although the client has a certificate that has not expired. */
  | 'client-certificate-refused'
  | 'not-http'
  | 'no-answer'
  /** An established connection was closed without an error. */
  | 'closed'

/** Each problem as a clause that follows an address, without remedies: the only table of these sentences. */
export const CONNECTION_CLAUSES: Readonly<Record<ConnectionProblem, string>> = {
  refused: 'connection refused',
  reset: 'connection reset',
  'timed-out': 'connection timed out',
  closed: 'connection closed',
  'no-route': 'no route to host',
  'no-socket': 'no such socket',
  'no-descriptors': 'too many open files (ulimit -n)',
  'unknown-host': 'unknown host',
  'no-answer': 'did not answer',
  dropped: 'drops the connection',
  'server-speaks-plaintext': 'speaks plaintext',
  'server-speaks-tls': 'speaks TLS',
  'tls-dropped': 'drops the TLS connection: it may speak plaintext',
  'tls-dropped-by-tls-server': 'drops the TLS connection: it may want a client certificate, or another one',
  'server-certificate-expired': 'has a certificate that has expired',
  'server-certificate-not-yet-valid': 'has a certificate that is not yet valid',
  'server-certificate-of-another-ca': 'has a certificate of another CA',
  'server-certificate-for-another-name': 'has a certificate for another name',
  'client-certificate-missing': 'wants a client certificate',
  'client-certificate-expired': 'refuses our client certificate: it has expired',
  'client-certificate-of-another-ca': 'does not know the CA of our client certificate',
  'client-certificate-refused': 'wants another client certificate',
  'client-certificate-not-accepted': 'wants a client certificate, or another one',
  'not-grpc': 'answers, but not as gRPC',
  'not-http': 'answers, but not as HTTP',
}

/** The clause for a request without an answer within its deadline. */
export function noAnswerIn(deadlineMs: number): string {
  return `no answer in ${deadlineMs} ms`
}

/**
 * The clause for the text of a failed connection. An unknown text is returned without grpc-js's wrapping.
 *
 * @param problem the problem, if more is known than the text shows
 */
export function connectionClause(text: string, problem: ConnectionProblem | null = problemIn(text)): string {
  if (problem === null) return bareReason(text)
  const names =
    problem === 'server-certificate-for-another-name' ? wrongCertificateName(lastError(text) ?? '') : null
  return names
    ? `has a certificate for ${names.has || 'no IP address'}, not for ${names.wanted}`
    : CONNECTION_CLAUSES[problem]
}

/**
 * The reason of an unknown failure as a clause: the text of its error without grpc-js's wrapping; of OpenSSL's, only
 * the reason. A text without these is returned unchanged.
 */
export function bareReason(text: string): string {
  const error = lastError(text)
  if (error === null) return CONNECTION_CLAUSES.closed
  const reason = opensslReason(error)
  return reason === null ? error : `the TLS handshake failed (${reason})`
}

/** The problem that the text of an error shows; null for any other text. */
export function problemIn(text: string): ConnectionFailure | SocketFailure | null {
  return connectionFailure(text) ?? socketFailure(text)
}

/**
 * Distinguishes why a server did not accept the client's certificate. Not every server gives the reason in its TLS alert.
 *
 * @param certFile the file of the client certificate; undefined if the client has none
 */
export function withClientCertificate<Problem extends ConnectionProblem | null>(
  problem: Problem,
  certFile: FileSource | undefined,
): Problem | 'client-certificate-missing' | 'client-certificate-expired' | 'client-certificate-refused' {
  if (problem !== 'client-certificate-not-accepted') return problem
  if (certFile === undefined) return 'client-certificate-missing'
  return hasExpired(certFile, Date.now()) ? 'client-certificate-expired' : 'client-certificate-refused'
}

/** The clause for an error of Node. An error for several addresses of a host has a code and an empty message. */
export function socketClause({ code = '', message }: NodeJS.ErrnoException): string {
  return connectionClause(message.trim() === '' ? code : message)
}
