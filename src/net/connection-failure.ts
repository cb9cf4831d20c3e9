import { NOT_CONNECTED, NOT_RESOLVED } from './grpc-js-texts.js'

/** Why a connection could not be made, as far as grpc-js, Node and OpenSSL report it. */
export type ConnectionFailure =
  | 'refused'
  | 'no-route'
  | 'no-socket'
  | 'unknown-host'
  | 'server-speaks-plaintext'
  /** Closed by the server during the handshake: it speaks plaintext, or is shutting down. */
  | 'tls-dropped'
  | 'server-certificate-expired'
  | 'server-certificate-not-yet-valid'
  | 'server-certificate-of-another-ca'
  | 'server-certificate-for-another-name'
  | 'client-certificate-expired'
  | 'client-certificate-of-another-ca'
  /** The client certificate is missing, or was refused without a reason, as by Go up to 1.20 (etcd 3.4). */
  | 'client-certificate-not-accepted'
  | 'not-grpc'
  /** Closed by the server after it accepted the connection, without an error. */
  | 'dropped'

/**
 * The texts by failure. Those of Node and OpenSSL are matched in this file only: grpc-js passes on their messages
 * without their codes. Two are grpc-js's own. TLS alerts are those of RFC 8446, section 6, as OpenSSL spells them.
 */
const TEXTS: readonly (readonly [text: RegExp, failure: ConnectionFailure])[] = [
  [/ECONNREFUSED/, 'refused'],
  [/EHOSTUNREACH|ENETUNREACH/, 'no-route'],
  [/ENOENT/, 'no-socket'],
  [/ENOTFOUND|EAI_AGAIN/, 'unknown-host'],
  [NOT_RESOLVED, 'unknown-host'],
  [/alert certificate expired/i, 'client-certificate-expired'],
  [/alert unknown ca/i, 'client-certificate-of-another-ca'],
  [
    /alert (bad certificate|certificate required|certificate unknown|certificate revoked|unsupported certificate|access denied|handshake failure)/i,
    'client-certificate-not-accepted',
  ],
  [/certificate has expired/i, 'server-certificate-expired'],
  [/certificate is not yet valid/i, 'server-certificate-not-yet-valid'],
  [/unable to verify|unable to get (local )?issuer|self[- .]signed/i, 'server-certificate-of-another-ca'],
  [/altnames|does not match certificate|is not (in )?(the )?cert's/i, 'server-certificate-for-another-name'],
  [/wrong version number|packet length too long|SSL routines:[^:]*:http request/i, 'server-speaks-plaintext'],
  [/before secure TLS/, 'tls-dropped'],
  [/Protocol error|Parse Error|unexpected HTTP/i, 'not-grpc'],
  [NOT_CONNECTED, 'dropped'],
]

/** A failure of a socket, with any protocol on top. */
export type SocketFailure = 'reset' | 'timed-out' | 'no-descriptors'

const SOCKET_TEXTS: readonly (readonly [text: RegExp, failure: SocketFailure])[] = [
  [/ECONNRESET|EPIPE|socket hang up/, 'reset'],
  [/ETIMEDOUT/, 'timed-out'],
  [/\b(EMFILE|ENFILE)\b/, 'no-descriptors'],
]

/** The failure that the text of an error describes; null for any other text. */
export function socketFailure(text: string): SocketFailure | null {
  return SOCKET_TEXTS.find(([pattern]) => pattern.test(text))?.[1] ?? null
}

/** The two names in Node's text about a certificate for another host name or address; null for other texts. */
export function wrongCertificateName(text: string): { readonly wanted: string; readonly has: string } | null {
  const [, wanted, has] = WRONG_NAME.exec(text) ?? []
  return wanted === undefined || has === undefined ? null : { wanted, has }
}

const WRONG_NAME = /(?:Host|IP): (.*?)\.? is not (?:in )?(?:the )?cert's (?:altnames|CN|list): ?(.*)$/

/**
 * Whether one side refused the certificate of the other, or sent any other TLS alert. Wider than the table, because
 * another certificate may help against any of OpenSSL's many reasons.
 */
export function isCertificateRefusal(text: string): boolean {
  return /certificate|alert|self.signed|local issuer/i.test(text)
}

/** The failure that the text of an error describes; null for any other text. */
export function connectionFailure(text: string): ConnectionFailure | null {
  return TEXTS.find(([pattern]) => pattern.test(text))?.[1] ?? null
}

/** The reason in OpenSSL's text, without its numbers, file names and lines; null for other texts. */
export function opensslReason(text: string): string | null {
  const reason = /error:[0-9a-f]{8}:[^:]*:[^:]*:([^:\n]+)/i.exec(text)?.[1]
  return reason?.replace(/^(tls|ssl)v\d+ /, '') ?? null
}
