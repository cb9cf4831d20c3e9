import {
  bareReason,
  type ConnectionFailure,
  connectionFailure,
  type SocketFailure,
  socketFailure,
  wrongCertificateName,
} from './connection-failure.js'

/** Each failure as a clause that follows an address, without flags of a command: the only table of these sentences. */
export const CONNECTION_CLAUSES: Readonly<Record<ConnectionFailure | SocketFailure, string>> = {
  refused: 'connection refused',
  reset: 'connection reset',
  'timed-out': 'connection timed out',
  'no-route': 'no route to host',
  'no-socket': 'no such socket',
  'no-descriptors': 'too many open files (ulimit -n)',
  'unknown-host': 'unknown host',
  'server-speaks-plaintext': 'speaks plaintext',
  'tls-dropped': 'drops the TLS connection: it may speak plaintext',
  'server-certificate-expired': 'has a certificate that has expired',
  'server-certificate-not-yet-valid': 'has a certificate that is not yet valid (check the clock)',
  'server-certificate-of-another-ca': 'has a certificate of another CA',
  'server-certificate-for-another-name': 'has a certificate for another name',
  'client-certificate-expired': 'refuses our client certificate: it has expired',
  'client-certificate-of-another-ca': 'does not know the CA of our client certificate',
  'client-certificate-not-accepted': 'wants a client certificate, or another one',
  'not-grpc': 'answers, but not as gRPC',
  dropped: 'drops the connection',
}

/** The clause for the text of a failed connection. An unknown text is returned without grpc-js's wrapping. */
export function connectionClause(text: string): string {
  const names = wrongCertificateName(text)
  if (names) return `has a certificate for ${names.has || 'no IP address'}, not for ${names.wanted}`
  const failure = connectionFailure(text) ?? socketFailure(text)
  return failure === null ? bareReason(text) : CONNECTION_CLAUSES[failure]
}

/** The clause for an error of Node. An error for several addresses of a host has a code and an empty message. */
export function socketClause({ code = '', message }: NodeJS.ErrnoException): string {
  return connectionClause(message.trim() === '' ? code : message)
}
