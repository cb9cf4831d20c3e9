import { Backoff } from '../../net/backoff.js'

/**
 * A connection that was READY for less than this is short; after more than MAX_SHORT in a row, none of which answered a
 * call, a reconnect waits. Some servers end a connection after a number of calls, as nginx does after
 * `keepalive_requests`.
 */
export const MIN_USEFUL_MS = 50
export const MAX_SHORT = 3

const RETRY_FIRST_MS = 100
const RETRY_MAX_MS = 30_000

/**
 * When to connect again after a connection has ended: at once, unless the server accepts connections and soon closes
 * each. grpc-js waits only after failed attempts, so such a server would be dialled more than a thousand times a second.
 */
export class Reconnects {
  private readySinceMs: number | null = null
  private short = 0
  /** Created when first needed: processes have thousands of connections. */
  private backoff: Backoff | null = null
  private timer: NodeJS.Timeout | null = null

  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  /** Call when it is READY; a repetition has no effect. */
  ready(): void {
    this.cancel()
    this.readySinceMs ??= this.nowMs()
  }

  /**
   * Call when a connection is wanted and none is being made.
   *
   * @returns whether `connect` is called later, rather than before this returns
   */
  next(connect: () => void): boolean {
    this.cancel()
    this.countShort()
    if (this.short <= MAX_SHORT) {
      connect()
      return false
    }
    this.backoff ??= new Backoff({ firstMs: RETRY_FIRST_MS, maxMs: RETRY_MAX_MS, jitter: 'longer' })
    // A call that waits keeps the process running; a connection alone must not.
    this.timer = setTimeout(connect, this.backoff.next()).unref()
    return true
  }

  /** Call when the server has answered a call, which may be later than the end of its connection. */
  answered(): void {
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
