import { connect as connectByHttp2 } from 'node:http2'
import { connect } from 'node:tls'

/** Deadline of a probe. Short, because servers answer at once, and a user waits for the message. */
const DEADLINE_MS = 500

/**
 * Whether a server answers a TLS handshake, to explain a connection that was dropped. The certificate is not checked. A
 * TLS alert counts as an answer.
 *
 * @param url with its port
 */
export function speaksTls(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false, timeout: DEADLINE_MS })
    const answer = (isTls: boolean) => {
      socket.destroy()
      resolve(isTls)
    }
    socket.once('secureConnect', () => answer(true))
    // Such as ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: the server speaks TLS, and wants a client certificate.
    socket.once('error', ({ code = '' }: NodeJS.ErrnoException) => answer(code.includes('_ALERT_')))
    socket.once('timeout', () => answer(false))
  })
}

/**
 * Whether a server speaks HTTP/2 without TLS, to explain a TLS connection that was dropped without a reason.
 *
 * @param url with its port; the scheme does not matter
 */
export function speaksPlaintext(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connectByHttp2(url.replace(/^https:/, 'http:'))
    const answer = (isPlaintext: boolean) => {
      session.destroy()
      resolve(isPlaintext)
    }
    session.once('remoteSettings', () => answer(true))
    // A server that speaks TLS may hang up without an error.
    session.once('close', () => resolve(false))
    session.on('error', () => answer(false))
    session.setTimeout(DEADLINE_MS, () => answer(false))
  })
}
