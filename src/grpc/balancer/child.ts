import { type ChannelOptions, connectivityState, experimental, Metadata } from '@grpc/grpc-js'
import { type Session, sessionEnd, watchSession } from '../../net/session-end.js'
import { type Health, HealthWatch, streamsOver } from '../health/watch.js'
import { namesOf, type RegisteredEndpoint } from '../resolver/endpoint.js'
import type { MemberReports } from './member.js'
import type { ConnectedMember } from './membership.js'
import type { OutstandingCalls } from './outstanding.js'

/** Settings for all children of a balancer. */
export interface ChildSettings {
  readonly helper: experimental.ChannelControlHelper
  readonly options: ChannelOptions
  readonly resolutionNote: string
  /** The service to watch the health of, empty for the server as a whole; null for no watch. */
  readonly healthService: string | null
}

/** The picker of a single connection ignores the call. */
const ANY_CALL: experimental.PickArgs = { metadata: new Metadata(), extraPickInfo: {} }

/**
 * One endpoint's connection and its pick result. It lives as long as the endpoint: a new weight, or a change of
 * health, replaces only its endpoint data.
 */
export class Child implements ConnectedMember {
  /** READY if calls can go; CONNECTING, too, while a connection's health is not known yet. */
  state: connectivityState = connectivityState.IDLE
  problem: string | null = null
  /**
   * The pick result that sends a call to this child; null without a connection. Created once per connection, not per
   * pick.
   */
  result: experimental.PickResult | null = null
  rank = 0
  private readonly leaf: experimental.LeafLoadBalancer
  private healthWatch: HealthWatch | null = null
  private connectionEnd: ConnectionEnd | null = null
  private isClosed = false

  constructor(
    public endpoint: RegisteredEndpoint,
    readonly outstanding: OutstandingCalls,
    private readonly settings: ChildSettings,
    private readonly reports: MemberReports<Child>,
  ) {
    const { helper, options, resolutionNote } = settings
    const own = experimental.createChildChannelControlHelper(helper, {
      updateState: (state, picker, problem) => this.update(state, picker, problem),
    })
    this.leaf = new experimental.LeafLoadBalancer(endpoint, own, options, resolutionNote)
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
    this.leaf.startConnecting()
  }

  close(): void {
    this.isClosed = true
    this.healthWatch?.stop()
    this.leaf.destroy()
  }

  private update(state: connectivityState, picker: experimental.Picker, problem: string | null): void {
    if (this.isClosed) return
    if (state === connectivityState.READY) this.connected(picker.pick(ANY_CALL))
    else {
      const reason = this.disconnected()
      if (reason !== null) this.reports.onDropped(this, reason)
      const why = problem ?? reason ?? this.problem
      this.report(state, why)
      if (state === connectivityState.TRANSIENT_FAILURE) this.reports.onFailed(this, why ?? '')
    }
    // All endpoints stay connected, including drained ones: the first pick must not wait for a connection.
    if (state === connectivityState.IDLE) this.leaf.exitIdle()
  }

  private connected(result: experimental.PickResult): void {
    // READY may be reported again for the same connection, without a change.
    if (this.result?.subchannel === result.subchannel) return
    const { onCallStarted, onCallEnded } = this.outstanding
    this.result = { ...result, onCallStarted, onCallEnded }
    this.connectionEnd = result.subchannel ? new ConnectionEnd(result.subchannel) : null
    const { healthService } = this.settings
    this.healthWatch?.stop()
    if (healthService === null || !result.subchannel) {
      this.report(connectivityState.READY, null)
      return
    }
    const channel = result.subchannel.getChannel()
    this.healthWatch = new HealthWatch(streamsOver(channel), healthService, (health) => this.judge(health))
    this.report(connectivityState.CONNECTING, 'its health is not known yet')
  }

  /** @returns why the connection ended, null without a connection */
  private disconnected(): string | null {
    const reason = this.connectionEnd?.reason ?? null
    this.connectionEnd = null
    this.result = null
    this.healthWatch?.stop()
    this.healthWatch = null
    return reason
  }

  private judge({ isServing, problem }: Health): void {
    this.report(isServing ? connectivityState.READY : connectivityState.TRANSIENT_FAILURE, problem)
    if (!isServing) this.reports.onFailed(this, problem ?? '')
  }

  private report(state: connectivityState, problem: string | null): void {
    this.state = state
    this.problem = problem
    this.reports.onState(this)
  }
}

/** Why one connection ended. */
export class ConnectionEnd {
  private session: Session | undefined

  /**
   * grpc-js reports that a connection ended, but not why, so this listens to the HTTP/2 session itself. grpc-js
   * attaches the session to its subchannel just after it reports READY, so the listeners are added a microtask later;
   * they are prepended, because grpc-js's own listeners report the end at once. If a version of grpc-js keeps its
   * session elsewhere, only the reason is lost; `test/e2e/call-dead-endpoints.test.ts` then fails.
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
