import { connectionFailure, socketFailure } from '../net/connection-failure.js'
import {
  CONNECTION_CLAUSES,
  type ConnectionProblem,
  connectionClause,
  problemIn,
  withClientCertificate,
} from '../net/connection-problem.js'
import { hasExpired } from '../net/files.js'
import { isAboutConnection, lastError } from '../net/grpc-js-texts.js'
import { speaksPlaintext, speaksTls } from '../net/probe.js'
import type { BackendTls } from './backend-tls.js'

/** The remedies for dialling a server with the wrong protocol, as texts in parentheses. */
export interface SchemeRemedies {
  /** For a TLS server that was dialled in plaintext. */
  readonly toTls: string
  /** For a plaintext server that was dialled with TLS. */
  readonly toPlaintext: string
}

const BY_FLAGS: SchemeRemedies = { toTls: '(try --tls)', toPlaintext: '(leave --tls out)' }

/** What follows the clause about a backend: mostly the flag that fixes the problem. */
const REMEDIES: Readonly<Partial<Record<ConnectionProblem, string>>> = {
  'no-answer': '(the stage that hung: connect)',
  'server-speaks-plaintext': BY_FLAGS.toPlaintext,
  'tls-dropped-by-tls-server': '(--tls-cert, --tls-key)',
  'server-certificate-not-yet-valid': '(check the clock)',
  'server-certificate-of-another-ca': '(try --tls-ca FILE)',
  'server-certificate-for-another-name': '(try --tls-name)',
  'client-certificate-missing': '(--tls-cert, --tls-key)',
  'client-certificate-expired': '(--tls-cert)',
  'client-certificate-of-another-ca': '(--tls-cert)',
  'client-certificate-refused': '(--tls-cert, --tls-key)',
  'client-certificate-not-accepted': '(--tls-cert, --tls-key)',
}

/** Failures whose cause is unknown, so that `findConnectionFault` probes the server. */
const UNCERTAIN: ReadonlySet<ConnectionProblem | null> = new Set([null, 'dropped', 'tls-dropped'])

/** The problem of a server that had not answered when the connection attempt timed out. */
export const NO_ANSWER = problemClause('no-answer')

/**
 * Why a connection failed, as a clause. Removes the text that grpc-js adds around the error. If grpc-js reports no
 * error, an established connection was closed.
 *
 * @param problem grpc-js's error text
 */
export function connectionProblem(problem: string): string {
  const error = lastError(problem)
  return error === null ? problemClause('closed') : problemClause(problemIn(error), error)
}

/** Whether this process could not open a socket because it has reached its limit of open files. */
export function isDescriptorLimit(problem: string): boolean {
  return socketFailure(problem) === 'no-descriptors'
}

/** Why a connection failed. */
export interface ConnectionFault {
  /** A clause for messages. */
  readonly text: string
  /** The protocol of the server if it differs from the dialled one; otherwise, or if it is unknown, null. */
  readonly speaks: 'tls' | 'plaintext' | null
}

/**
 * Finds out why a connection failed. If grpc-js's error does not show the cause, probes the server for TLS or
 * plaintext, because a server may close a connection of the wrong protocol without an error. Also checks whether the
 * client certificate has expired, because not every server explains why it refuses a certificate.
 *
 * @param addr the address of the server, as registered
 * @param problem grpc-js's error text; null if the connection attempt timed out
 * @param tls the TLS settings of the connection; undefined for plaintext
 */
export async function findConnectionFault(
  addr: string,
  problem: string | null,
  tls: Pick<BackendTls, 'certFile'> | undefined,
  remedies: SchemeRemedies = BY_FLAGS,
): Promise<ConnectionFault> {
  const otherProtocol = (speaks: 'tls' | 'plaintext', remedy: string): ConnectionFault => ({
    text: `${CONNECTION_CLAUSES[`server-speaks-${speaks}`]} ${remedy}`,
    speaks,
  })
  const otherCause = (text: string): ConnectionFault => ({ text, speaks: null })
  const failure = connectionFailure(problem ?? '')
  if (failure === 'server-speaks-plaintext') return otherProtocol('plaintext', remedies.toPlaintext)
  const url = urlOf(addr)
  if (UNCERTAIN.has(failure) && url !== null) {
    if (!tls && (await speaksTls(url))) return otherProtocol('tls', remedies.toTls)
    if (tls && (await speaksPlaintext(url))) return otherProtocol('plaintext', remedies.toPlaintext)
    // Servers in Node.js refuse a client certificate without a TLS alert: they close the connection.
    if (tls && (failure !== null || socketFailure(problem ?? '') === 'reset')) {
      const isExpired = tls.certFile !== undefined && hasExpired(tls.certFile, Date.now())
      return otherCause(problemClause(isExpired ? 'client-certificate-expired' : 'tls-dropped-by-tls-server'))
    }
  }
  if (failure === 'client-certificate-not-accepted') {
    return otherCause(problemClause(withClientCertificate(failure, tls?.certFile)))
  }
  return otherCause(problem === null ? NO_ANSWER : connectionProblem(problem))
}

/** The `text` of {@link findConnectionFault}. */
export async function explain(...failed: Parameters<typeof findConnectionFault>): Promise<string> {
  return (await findConnectionFault(...failed)).text
}

/** The URL of a `host:port` address; null for any other address, such as a Unix socket. */
function urlOf(addr: string): string | null {
  const url = `http://${addr}`
  return !addr.startsWith('unix:') && URL.canParse(url) ? url : null
}

/** The clause for a problem and its remedy. */
function problemClause(problem: ConnectionProblem | null, text = ''): string {
  const clause = connectionClause(text, problem)
  const remedy = problem && REMEDIES[problem]
  return remedy ? `${clause} ${remedy}` : clause
}

/** The details of a call's status. For a failed connection, the text that grpc-js adds around the error is removed. */
export function withoutWrapping(details: string): string {
  return isAboutConnection(details) ? connectionProblem(details) : details
}
