import { type ConnectionFailure, connectionFailure, socketFailure } from '../net/connection-failure.js'
import { CONNECTION_CLAUSES, connectionClause } from '../net/connection-problem.js'
import { hasExpired } from '../net/files.js'
import { isAboutConnection, lastError } from '../net/grpc-js-texts.js'
import { speaksPlaintext, speaksTls } from '../net/probe.js'
import type { BackendTls } from './backend-tls.js'

const DROPPED_TLS =
  'drops the TLS connection: it may want a client certificate, or another one (--tls-cert, --tls-key)'

/** The remedies for a server that was dialled with the wrong protocol, as clauses in brackets. */
export interface SchemeRemedies {
  readonly toTls: string
  readonly toPlaintext: string
}

const BY_FLAGS: SchemeRemedies = { toTls: '(try --tls)', toPlaintext: '(leave --tls out)' }

/** The flag that fixes a failure of TLS to a backend. */
const REMEDIES: Readonly<Partial<Record<ConnectionFailure, string>>> = {
  'server-speaks-plaintext': BY_FLAGS.toPlaintext,
  'server-certificate-of-another-ca': '(try --tls-ca FILE)',
  'server-certificate-for-another-name': '(try --tls-name)',
  'client-certificate-expired': '(--tls-cert)',
  'client-certificate-of-another-ca': '(--tls-cert)',
  'client-certificate-not-accepted': '(--tls-cert, --tls-key)',
}

const EXPIRED = problemOf('client-certificate-expired')

/** Failures without a certain cause, for which the server is probed. */
const OPEN: ReadonlySet<ConnectionFailure | null> = new Set([null, 'dropped', 'tls-dropped'])

/** The problem of a server that had not answered at all when the connection attempt timed out. */
export const NO_ANSWER = 'did not answer (the stage that hung: connect)'

/**
 * Why a connection failed, without grpc-js's wrapping. If grpc-js gives no cause, an established connection was
 * closed: the server did answer.
 */
export function connectionProblem(problem: string): string {
  const error = lastError(problem)
  if (error === '' || error === 'null') return 'connection closed'
  return withRemedy(connectionClause(error), connectionFailure(error))
}

/** Whether the system refused to open one more file, which is not the server's fault. */
export function isDescriptorLimit(problem: string): boolean {
  return socketFailure(problem) === 'no-descriptors'
}

/** Why a connection failed. */
export interface Diagnosis {
  /** A clause for messages. */
  readonly text: string
  /** The protocol of the server, if it differs from the dialled one. */
  readonly speaks: 'tls' | 'plaintext' | null
}

/**
 * Why a connection failed, after a probe of the server if grpc-js's error does not show the cause: a server may drop a
 * connection of the wrong protocol without an error. The client certificate is also checked, since not every server
 * explains why it refuses one.
 *
 * @param tls how the connection was dialled; undefined for plaintext
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
  const otherwise = (text: string): Diagnosis => ({ text, speaks: null })
  const failure = connectionFailure(problem ?? '')
  const certificateHasExpired = () => tls?.certFile !== undefined && hasExpired(tls.certFile, Date.now())
  if (failure === 'server-speaks-plaintext') return plaintext
  const url = urlOf(addr)
  if (OPEN.has(failure) && url !== null) {
    if (!tls && (await speaksTls(url))) return { text: `speaks TLS ${remedies.toTls}`, speaks: 'tls' }
    if (tls && (await speaksPlaintext(url))) return plaintext
    // Node's servers send no alert for a client certificate that they do not accept.
    if (tls && (failure !== null || socketFailure(problem ?? '') === 'reset')) {
      return otherwise(certificateHasExpired() ? EXPIRED : DROPPED_TLS)
    }
  }
  if (failure === 'client-certificate-not-accepted' && certificateHasExpired()) {
    return otherwise(EXPIRED)
  }
  return otherwise(problem === null ? NO_ANSWER : connectionProblem(problem))
}

/** The clause of {@link diagnose}. */
export async function explain(...failed: Parameters<typeof diagnose>): Promise<string> {
  return (await diagnose(...failed)).text
}

/** Null for an address other than `host:port`, such as a socket. */
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

/** The details of a call's status. Those of a failed connection lose grpc-js's wrapping. */
export function withoutWrapping(details: string): string {
  return isAboutConnection(details) ? connectionProblem(details) : details
}
