import type { Connection, ConnectionEvents } from './connection.js'

/** Maximum number of connections to one endpoint. Each carries as many streams as the server allows, usually 100 or more. */
const MAX_CONNECTIONS = 16

/** How long a connection other than the first may be idle. */
const IDLE_MS = 30_000

/** How long to wait after a failed attempt before the next, while other connections are ready. */
const REDIAL_MS = 1_000

/** A call that needs a connection. */
export interface Waiting {
  /** @returns false if it started no stream and still needs a connection */
  begin(connection: Connection): boolean
  /** Called when the endpoint was removed, or cannot be reached. The call was not sent. */
  rejected(): void
}

export interface PoolSettings {
  /** @param attempt counts the attempts, from 0 */
  connect(attempt: number, events: ConnectionEvents): Connection
  ready(connection: Connection): void
  ended(connection: Connection, reason: string): void
}

/** The connections to one endpoint: one, and more if calls wait because the server allows no more streams on the others. */
export class Pool {
  private readonly connections = new Set<Connection>()
  private readonly waiting = new Set<Waiting>()
  private connecting: Connection | null = null
  private readonly idleTimers = new WeakMap<Connection, NodeJS.Timeout>()
  private attempts = 0
  /** The earliest time for another connection, by `performance.now()`. */
  private nextDialMs = 0
  private redialTimer: NodeJS.Timeout | null = null
  private isClosed = false

  constructor(private readonly settings: PoolSettings) {}

  /** A connection that takes calls, if there is one. */
  get ready(): Connection | null {
    for (const connection of this.connections)
      if (connection.isReady && !connection.isEnded) return connection
    return null
  }

  connect(): void {
    if (this.connecting || this.isClosed) return
    this.connecting = this.settings.connect(this.attempts++, {
      ready: (connection) => this.becomeReady(connection),
      freed: (connection) => this.freed(connection),
      ended: (connection, reason) => this.remove(connection, reason),
    })
  }

  admit(call: Waiting): void {
    for (const connection of this.connections) {
      if (connection.hasRoom && call.begin(connection)) return
    }
    if (!this.ready) {
      call.rejected()
      return
    }
    this.waiting.add(call)
    this.grow()
  }

  withdraw(call: Waiting): void {
    this.waiting.delete(call)
  }

  close(): void {
    this.isClosed = true
    if (this.redialTimer) clearTimeout(this.redialTimer)
    this.connecting?.close()
    for (const connection of this.connections) connection.close()
    this.rejectWaiting()
  }

  private becomeReady(connection: Connection): void {
    this.connecting = null
    this.connections.add(connection)
    if (this.isClosed) connection.close()
    else {
      this.settings.ready(connection)
      this.serve(connection)
      this.grow()
      this.watchIdle(connection)
    }
  }

  /**
   * Opens another connection while calls wait, because streams of the others may stay open for hours. Called after each
   * attempt as well: one connection may be too few for the calls that wait.
   */
  private grow(): void {
    if (this.isClosed || this.waiting.size === 0 || this.connections.size >= MAX_CONNECTIONS) return
    const waitMs = this.nextDialMs - performance.now()
    if (waitMs <= 0) this.connect()
    else this.redialTimer ??= setTimeout(() => this.redial(), Math.ceil(waitMs))
  }

  private redial(): void {
    this.redialTimer = null
    this.grow()
  }

  private freed(connection: Connection): void {
    this.serve(connection)
    this.watchIdle(connection)
  }

  /** Restarts the idle timer of a connection without streams, if there are others. */
  private watchIdle(connection: Connection): void {
    if (this.connections.size < 2 || connection.streams > 0) return
    const timer = this.idleTimers.get(connection)
    if (timer) timer.refresh()
    else this.idleTimers.set(connection, setTimeout(() => this.closeIdle(connection), IDLE_MS).unref())
  }

  private closeIdle(connection: Connection): void {
    const isFirst = this.connections.values().next().value === connection
    if (!isFirst && connection.streams === 0 && !connection.isEnded) connection.close()
  }

  private serve(connection: Connection): void {
    for (const call of this.waiting) {
      if (!connection.hasRoom) return
      this.waiting.delete(call)
      if (!call.begin(connection)) call.rejected()
    }
  }

  private remove(connection: Connection, reason: string): void {
    if (this.connecting === connection) {
      this.connecting = null
      this.nextDialMs = this.connections.size > 0 ? performance.now() + REDIAL_MS : 0
    }
    const wasIdle = this.connections.delete(connection) && this.connections.size > 0 && connection.isClosing
    if (wasIdle) return
    this.settings.ended(connection, reason)
    if (this.ready) this.grow()
    else this.rejectWaiting()
  }

  private rejectWaiting(): void {
    const calls = [...this.waiting]
    this.waiting.clear()
    for (const call of calls) call.rejected()
  }
}
