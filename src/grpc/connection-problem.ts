import { type ConnectionFailure, connectionFailure, socketFailure } from '../net/connection-failure.js'
import { CONNECTION_CLAUSES, connectionClause } from '../net/connection-problem.js'
import { hasExpired } from '../net/files.js'
import { isAboutConnection, lastError } from '../net/grpc-js-texts.js'
import { speaksPlaintext, speaksTls } from '../net/probe.js'
import type { BackendTls } from './backend-tls.js'

const DROPPED_TLS =
  'drops the TLS connection: it may want a client certificate, or another one (--tls-cert, --tls-key)'

/** The remedies for dialling a server with the wrong protocol, as texts in parentheses. */
export interface SchemeRemedies {
  /** For a TLS server that was dialled in plaintext. */
  readonly toTls: string
  /** For a plaintext server that was dialled with TLS. */
  readonly toPlaintext: string
}

const BY_FLAGS: SchemeRemedies = { toTls: '(try --tls)', toPlaintext: '(leave --tls out)' }

/** The flag that fixes a TLS failure of a backend connection. */
const REMEDIES: Readonly<Partial<Record<ConnectionFailure, string>>> = {
  'server-speaks-plaintext': BY_FLAGS.toPlaintext,
  'server-certificate-of-another-ca': '(try --tls-ca FILE)',
  'server-certificate-for-another-name': '(try --tls-name)',
  'client-certificate-expired': '(--tls-cert)',
  'client-certificate-of-another-ca': '(--tls-cert)',
  'client-certificate-not-accepted': '(--tls-cert, --tls-key)',
}

const EXPIRED = problemOf('client-certificate-expired')

/** Failures whose cause is unknown, so that `diagnose` probes the server. */
const UNCERTAIN: ReadonlySet<ConnectionFailure | null> = new Set([null, 'dropped', 'tls-dropped'])

/** The problem of a server that had not answered when the connection attempt timed out. */
export const NO_ANSWER = 'did not answer (the stage that hung: connect)'

/**
 * Why a connection failed, as a clause. Removes the text that grpc-js adds around the error. If grpc-js reports no
 * error, an established connection was closed.
 *
 * @param problem grpc-js's error text
 */
export function connectionProblem(problem: string): string {
  const error = lastError(problem)
  if (error === '' || error === 'null') return 'connection closed'
  return withRemedy(connectionClause(error), connectionFailure(error))
}

/** Whether this process could not open a socket because it has reached its limit of open files. */
export function isDescriptorLimit(problem: string): boolean {
  return socketFailure(problem) === 'no-descriptors'
}

/** Why a connection failed. */
export interface Diagnosis {
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
export async function diagnose(
  addr: string,
  problem: string | null,
  tls: Pick<BackendTls, 'certFile'> | undefined,
  remedies: SchemeRemedies = BY_FLAGS,
): Promise<Diagnosis> {
  const plaintext: Diagnosis = {
    text: `${CONNECTION_CLAUSES['server-speaks-plaintext']} ${remedies.toPlaintext}`,
    speaks: 'plaintext',
  }
  const otherCause = (text: string): Diagnosis => ({ text, speaks: null })
  const failure = connectionFailure(problem ?? '')
  const certificateHasExpired = () => tls?.certFile !== undefined && hasExpired(tls.certFile, Date.now())
  if (failure === 'server-speaks-plaintext') return plaintext
  const url = urlOf(addr)
  if (UNCERTAIN.has(failure) && url !== null) {
    if (!tls && (await speaksTls(url))) return { text: `speaks TLS ${remedies.toTls}`, speaks: 'tls' }
    if (tls && (await speaksPlaintext(url))) return plaintext
    // Servers in Node.js refuse a client certificate without a TLS alert: they close the connection.
    if (tls && (failure !== null || socketFailure(problem ?? '') === 'reset')) {
      return otherCause(certificateHasExpired() ? EXPIRED : DROPPED_TLS)
    }
  }
  if (failure === 'client-certificate-not-accepted' && certificateHasExpired()) {
    return otherCause(EXPIRED)
  }
  return otherCause(problem === null ? NO_ANSWER : connectionProblem(problem))
}

/** The `text` of {@link diagnose}. */
export async function explain(...failed: Parameters<typeof diagnose>): Promise<string> {
  return (await diagnose(...failed)).text
}

/** The URL of a `host:port` address; null for any other address, such as a Unix socket. */
function urlOf(addr: string): string | null {
  const url = `http://${addr}`
  return !addr.startsWith('unix:') && URL.canParse(url) ? url : null
}

function problemOf(failure: ConnectionFailure): string {
  return withRemedy(CONNECTION_CLAUSES[failure], failure)
}

function withRemedy(clause: string, failure: ConnectionFailure | null): string {
  const remedy = failure && REMEDIES[failure]
  return remedy ? `${clause} ${remedy}` : clause
}

/** The details of a call's status. For a failed connection, the text that grpc-js adds around the error is removed. */
export function withoutWrapping(details: string): string {
  return isAboutConnection(details) ? connectionProblem(details) : details
}
