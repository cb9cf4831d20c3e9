import { connect as connectByHttp2 } from 'node:http2'
import { connect } from 'node:tls'

/** A server that answers at all answers a greeting at once; a person is waiting for the message. */
const DEADLINE_MS = 500

/**
 * Whether a server answers a TLS greeting, whatever it thinks of us: for those words about a connection that
 * was dropped. Nothing is sent but the greeting, and no certificate is looked at.
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
    // A refusal in TLS's own words, for want of a client certificate say, is an answer too.
    socket.once('error', (error: NodeJS.ErrnoException) => answer(/alert/i.test(error.message)))
    socket.once('timeout', () => answer(false))
  })
}

/**
 * Whether a server greets by HTTP/2 without TLS, as gRPC has it: for those that dropped a TLS connection. They
 * need not say why, and often do not get to.
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
    // One that speaks TLS may hang up without an error.
    session.once('close', () => resolve(false))
    session.on('error', () => answer(false))
    session.setTimeout(DEADLINE_MS, () => answer(false))
  })
}
