import {
  bareReason,
  type ConnectionFailure,
  connectionFailure,
  type SocketFailure,
  socketFailure,
  wrongCertificateName,
} from '../net/connection-failure.js'
import { hasExpired } from '../net/files.js'
import { speaksPlaintext, speaksTls } from '../net/probe.js'
import type { BackendTls } from './backend-tls.js'
import { isAboutConnection, lastError } from './grpc-js-texts.js'

const DROPPED_TLS =
  'drops the TLS connection: it may want a client certificate, or another one (--tls-cert, --tls-key)'
const PLAINTEXT = 'speaks plaintext (leave --tls out)'

/** Each as a clause behind the address. */
const MEANINGS: Readonly<Record<ConnectionFailure, string>> = {
  refused: 'connection refused',
  'no-route': 'cannot be reached: no route',
  'no-socket': 'no such socket',
  'unknown-host': 'has a host name that is not known',
  'server-speaks-plaintext': PLAINTEXT,
  'tls-dropped': 'drops the TLS connection: it may speak plaintext',
  'server-certificate-expired': 'has a certificate that has expired',
  'server-certificate-not-yet-valid': 'has a certificate that is not yet valid (check the clock)',
  'server-certificate-of-another-ca': 'has a certificate of another CA (try --tls-ca FILE)',
  'server-certificate-for-another-name': 'has a certificate for another name (try --tls-name)',
  'client-certificate-expired': 'refuses our client certificate: it has expired (--tls-cert)',
  'client-certificate-of-another-ca': 'does not know the CA of our client certificate (--tls-cert)',
  'client-certificate-not-accepted': 'wants a client certificate, or another one (--tls-cert, --tls-key)',
  'not-grpc': 'answers, but not as gRPC',
  dropped: 'drops the connection',
}

/** Failures that leave a cause open, which a look at the server may tell. */
const OPEN: ReadonlySet<ConnectionFailure | null> = new Set([null, 'dropped', 'tls-dropped'])

const SOCKET_MEANINGS: Readonly<Record<SocketFailure, string>> = {
  reset: 'connection reset',
  'timed-out': 'did not answer in time',
  'no-descriptors': 'too many open files (ulimit -n)',
}

/** Of a server from which nothing was heard at all while its connection was waited for. */
export const NO_ANSWER = 'did not answer (the stage that hung: connect)'

/**
 * What stopped a connection, without grpc-js's own wrapping. Where grpc-js knows no cause, the connection was there
 * and is closed: that is not a server that does not answer.
 */
export function connectionProblem(problem: string): string {
  const error = lastError(problem)
  if (error === '' || error === 'null') return 'connection closed'
  const socket = socketFailure(error)
  return meaningOf(error) ?? (socket && SOCKET_MEANINGS[socket]) ?? bareReason(error)
}

/** Whether the system refused to open one more file, which is not the server's fault. */
export function isDescriptorLimit(problem: string): boolean {
  return socketFailure(problem) === 'no-descriptors'
}

/**
 * The same, where a look at the server can tell more: one that speaks TLS drops a plaintext connection without
 * a word, and one that does not may drop a TLS connection so. Our own client certificate is looked at as well, since
 * not every server tells why it refuses one.
 *
 * @param tls how the connection was dialled; undefined for plaintext
 */
export async function explain(
  addr: string,
  problem: string | null,
  tls: Pick<BackendTls, 'certFile'> | undefined,
): Promise<string> {
  const failure = connectionFailure(problem ?? '')
  const certificateHasExpired = () => tls?.certFile !== undefined && hasExpired(tls.certFile, Date.now())
  const url = `http://${addr}`
  if (OPEN.has(failure) && URL.canParse(url)) {
    if (!tls && (await speaksTls(url))) return 'speaks TLS (try --tls)'
    if (tls && (await speaksPlaintext(url))) return PLAINTEXT
    // Node's servers send no alert for a client certificate that they do not accept.
    if (tls && (failure !== null || socketFailure(problem ?? '') === 'reset')) {
      return certificateHasExpired() ? MEANINGS['client-certificate-expired'] : DROPPED_TLS
    }
  }
  if (failure === 'client-certificate-not-accepted' && certificateHasExpired()) {
    return MEANINGS['client-certificate-expired']
  }
  return problem === null ? NO_ANSWER : connectionProblem(problem)
}

function meaningOf(problem: string): string | null {
  const names = wrongCertificateName(problem)
  if (names) return `has a certificate for ${names.has}, not for ${names.wanted} (try --tls-name)`
  const failure = connectionFailure(problem)
  return failure && MEANINGS[failure]
}

/** The details of a call's status: where grpc-js made them of a connection that failed, only what they say of it. */
export function withoutWrapping(details: string): string {
  return isAboutConnection(details) ? connectionProblem(details) : details
}
