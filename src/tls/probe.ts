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
