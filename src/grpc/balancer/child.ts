import { connectivityState, experimental, status } from '@grpc/grpc-js'
import { type Session, sessionEnd, watchSession } from '../../net/session-end.js'
import { type Health, HealthWatch, streamsOver } from '../health/watch.js'
import { namesOf, type RegisteredEndpoint } from '../resolver/endpoint.js'
import {
  type Connection,
  type ConnectionListener,
  type ConnectionSettings,
  connectionTo,
} from './connection.js'
import type { MemberReports } from './member.js'
import type { ConnectedMember } from './membership.js'
import type { OutstandingCalls } from './outstanding.js'

/** Settings for all children of a balancer. */
export interface ChildSettings extends ConnectionSettings {
  /** The service whose health is watched, empty for the server as a whole; null if health is not watched. */
  readonly healthService: string | null
}

/**
 * The connection to one endpoint, with the pick result that sends calls over it. A new list with another weight or
 * other metadata replaces `endpoint`, but not the child.
 */
export class Child implements ConnectedMember, ConnectionListener {
  /** READY if the child accepts calls. Also CONNECTING while there is a connection whose health is not known yet. */
  state: connectivityState = connectivityState.IDLE
  problem: string | null = null
  /**
   * The pick result that sends a call to this child; null if there is no connection. Created once per connection, not
   * once per pick.
   */
  result: experimental.PickResult | null = null
  rank = 0
  private readonly connection: Connection
  private healthWatch: HealthWatch | null = null
  private connectionEnd: ConnectionEnd | null = null
  private isClosed = false

  constructor(
    public endpoint: RegisteredEndpoint,
    readonly outstanding: OutstandingCalls,
    private readonly settings: ChildSettings,
    private readonly reports: MemberReports<Child>,
  ) {
    this.connection = connectionTo(endpoint, settings, this)
  }

  get isReady(): boolean {
    return this.state === connectivityState.READY
  }

  get isFailing(): boolean {
    return this.state === connectivityState.TRANSIENT_FAILURE
  }

  get names(): readonly string[] {
    return namesOf(this.endpoint)
  }

  connect(): void {
    this.connection.connect()
  }

  close(): void {
    this.isClosed = true
    this.healthWatch?.stop()
    this.connection.close()
  }

  /** Called by the connection. */
  update(
    state: connectivityState,
    subchannel: experimental.SubchannelInterface | null,
    problem: string | null,
  ): void {
    if (this.isClosed) return
    if (subchannel) this.connected(subchannel)
    else {
      const reason = this.disconnected()
      if (reason !== null) this.reports.onDropped(this, reason)
      const why = problem ?? reason ?? this.problem
      this.report(state, why)
      if (state === connectivityState.TRANSIENT_FAILURE) this.reports.onFailed(this, why ?? '')
    }
  }

  private connected(subchannel: experimental.SubchannelInterface): void {
    // READY may be reported repeatedly for the same connection.
    if (this.result?.subchannel === subchannel) return
    const { onCallStarted } = this.outstanding
    const { onCallEnded } = this
    const pickResultType = experimental.PickResultType.COMPLETE
    this.result = { pickResultType, subchannel, status: null, onCallStarted, onCallEnded }
    this.connectionEnd = new ConnectionEnd(subchannel)
    const { healthService } = this.settings
    this.healthWatch?.stop()
    if (healthService === null) {
      this.report(connectivityState.READY, null)
      return
    }
    const channel = subchannel.getChannel()
    this.healthWatch = new HealthWatch(streamsOver(channel), healthService, (health) => this.onHealth(health))
    this.report(connectivityState.CONNECTING, 'its health is not known yet')
  }

  private readonly onCallEnded = (code: status): void => {
    this.outstanding.onCallEnded()
    if (code === status.OK) this.connection.callSucceeded()
  }

  /** Clears the state of the connection. @returns why the connection ended; null if there was none */
  private disconnected(): string | null {
    const reason = this.connectionEnd?.reason ?? null
    this.connectionEnd = null
    this.result = null
    this.healthWatch?.stop()
    this.healthWatch = null
    return reason
  }

  private onHealth({ isServing, problem }: Health): void {
    this.report(isServing ? connectivityState.READY : connectivityState.TRANSIENT_FAILURE, problem)
    if (!isServing) this.reports.onFailed(this, problem ?? '')
  }

  private report(state: connectivityState, problem: string | null): void {
    this.state = state
    this.problem = problem
    this.reports.onState(this)
  }
}

/** Finds out why one connection ended. */
export class ConnectionEnd {
  private session: Session | undefined

  /**
   * grpc-js reports that a connection ended, but not why, so the constructor adds listeners to the HTTP/2 session.
   *
   * grpc-js attaches the session to its subchannel just after it reports READY, so the listeners are added a microtask
   * later. They are prepended, because grpc-js's own listeners report the end immediately. If a future version of
   * grpc-js stores its session elsewhere, only the reason is lost, and `test/e2e/call-dead-endpoints.long.test.ts` fails.
   */
  constructor(subchannel: experimental.SubchannelInterface) {
    queueMicrotask(() => {
      this.session = sessionOf(subchannel)
      if (this.session) watchSession(this.session)
    })
  }

  get reason(): string {
    return sessionEnd(this.session ?? {})
  }
}

function sessionOf(subchannel: experimental.SubchannelInterface): Session | undefined {
  const real = subchannel.getRealSubchannel() as unknown as { transport?: unknown }
  return (real.transport as { session?: Session } | null | undefined)?.session
}
