import { constants, type ServerHttp2Session } from 'node:http2'

/** The last stream id in the first GOAWAY of a graceful end: until the caller receives it, all streams are accepted. */
const ANY_STREAM = 2 ** 31 - 1

/** How long to wait for the PING's ACK before the second GOAWAY is sent. */
const PING_MS = 1_000

/** Time within which a connection must send its preface and SETTINGS. */
const HANDSHAKE_MS = 10_000

/** The connection of a caller: closes it if it does not speak HTTP/2 in time, and drains it at a maximum age. */
export class CallerSession {
  private isDraining = false
  private readonly timers = new Set<NodeJS.Timeout>()

  /** @param ageMs the age at which the connection drains; null if it has no maximum age */
  constructor(
    private readonly session: ServerHttp2Session,
    ageMs: number | null,
  ) {
    const handshake = this.after(HANDSHAKE_MS, () => session.destroy())
    session.once('remoteSettings', () => clearTimeout(handshake))
    session.on('error', () => {
      // A connection error ends the streams, and each stream ends its call.
    })
    session.once('close', () => {
      for (const timer of this.timers) clearTimeout(timer)
    })
    if (ageMs !== null) this.after(ageMs, () => this.drain())
  }

  /**
   * Ends the connection without losing a call: announces by GOAWAY that no more streams are accepted, accepts those
   * that were already sent, and closes when the last one has ended.
   */
  drain(): void {
    const { session } = this
    if (this.isDraining || session.destroyed) return
    this.isDraining = true
    session.goaway(constants.NGHTTP2_NO_ERROR, ANY_STREAM)
    const close = () => this.close()
    this.after(PING_MS, close)
    session.ping(close)
  }

  /** Closes the connection when its streams have ended. `destroy` would reset streams, which callers report as INTERNAL. */
  close(): void {
    if (!this.session.destroyed) this.session.close()
  }

  private after(ms: number, then: () => void): NodeJS.Timeout {
    const timer = setTimeout(then, ms).unref()
    this.timers.add(timer)
    return timer
  }
}
