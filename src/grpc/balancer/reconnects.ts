import { Backoff } from '../../net/backoff.js'

/** A connection that was READY for less than this time counts as short. */
export const MIN_USEFUL_MS = 50
/**
 * Maximum number of short connections in a row, without a successful call, before reconnects wait for a backoff. A few
 * short connections are normal: some servers close a connection after a number of calls, such as nginx after
 * `keepalive_requests`.
 */
export const MAX_SHORT = 3

const RETRY_FIRST_MS = 100
const RETRY_MAX_MS = 30_000

/**
 * Decides when to reconnect after a connection has ended: at once, unless the server repeatedly accepts a connection
 * and soon closes it. Then each reconnect waits for a backoff. grpc-js has a backoff only for failed connection
 * attempts, so it would dial such a server more than a thousand times a second.
 */
export class Reconnects {
  /** Start of the current connection, on the clock of `nowMs`; null without a connection. */
  private readySinceMs: number | null = null
  /** Number of short connections in a row since the last successful call. */
  private short = 0
  /** Created when first needed, to save memory: a process may have thousands of connections. */
  private backoff: Backoff | null = null
  private timer: NodeJS.Timeout | null = null

  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  /** Call when the connection is READY. Further calls for the same connection have no effect. */
  ready(): void {
    this.cancel()
    this.readySinceMs ??= this.nowMs()
  }

  /**
   * Calls `connect`, now or after a backoff. Use it when there is neither a connection nor a connection attempt.
   *
   * @returns whether `connect` is called later; false if it has already been called
   */
  next(connect: () => void): boolean {
    this.cancel()
    this.countShort()
    if (this.short <= MAX_SHORT) {
      connect()
      return false
    }
    this.backoff ??= new Backoff({ firstMs: RETRY_FIRST_MS, maxMs: RETRY_MAX_MS, jitter: 'longer' })
    // A pending reconnect must not keep the process running. A call that waits for it does so by itself.
    this.timer = setTimeout(connect, this.backoff.next()).unref()
    return true
  }

  /** Call when a call has succeeded. This may be after the end of the connection that carried it. */
  callSucceeded(): void {
    this.short = 0
    this.backoff = null
  }

  cancel(): void {
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
  }

  private countShort(): void {
    if (this.readySinceMs === null) return
    const isShort = this.nowMs() - this.readySinceMs < MIN_USEFUL_MS
    this.readySinceMs = null
    this.short = isShort ? this.short + 1 : 0
    if (!isShort) this.backoff = null
  }
}
