import { type ChannelOptions, connectivityState, experimental, Metadata } from '@grpc/grpc-js'
import { type Health, HealthWatch, streamsOver } from '../health/watch.js'
import { namesOf, type RegisteredEndpoint } from '../resolver/endpoint.js'
import { ConnectionEnd } from './connection-end.js'
import type { Member } from './member.js'
import type { OutstandingCalls } from './outstanding.js'

export interface ChildReports {
  /** The child's state changed; what it is now is in the child. */
  onState(child: Child): void
  /** A connection attempt failed, or the server says that it is not serving. Follows `onState`. */
  onFailed(child: Child, problem: string): void
  /** A connection ended. Precedes `onState`. */
  onDropped(child: Child, reason: string): void
}

/** How children are made: the same for all of a list. */
export interface ChildSettings {
  readonly helper: experimental.ChannelControlHelper
  readonly options: ChannelOptions
  readonly resolutionNote: string
  /** The service of which the health is watched, empty for the server as a whole; null for no watch. */
  readonly healthService: string | null
}

/** The picker of a single connection looks at nothing of a call. */
const ANY_CALL: experimental.PickArgs = { metadata: new Metadata(), extraPickInfo: {} }

/**
 * One endpoint's connection and the pick that goes with it. It stays for as long as the endpoint does: a new
 * weight changes its endpoint and nothing else, and so does its health.
 */
export class Child implements Member {
  /** READY where calls can go; CONNECTING, too, while a connection's health is not known yet. */
  state: connectivityState = connectivityState.IDLE
  problem: string | null = null
  /** What a picker answers to send a call here; null without a connection. Made once for it, not per pick. */
  result: experimental.PickResult | null = null
  rank = 0
  private readonly leaf: experimental.LeafLoadBalancer
  private healthWatch: HealthWatch | null = null
  private connectionEnd: ConnectionEnd | null = null
  private isDestroyed = false

  constructor(
    public endpoint: RegisteredEndpoint,
    readonly outstanding: OutstandingCalls,
    private readonly settings: ChildSettings,
    private readonly reports: ChildReports,
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

  destroy(): void {
    this.isDestroyed = true
    this.healthWatch?.stop()
    this.leaf.destroy()
  }

  private update(state: connectivityState, picker: experimental.Picker, problem: string | null): void {
    if (this.isDestroyed) return
    if (state === connectivityState.READY) this.connected(picker.pick(ANY_CALL))
    else {
      const reason = this.disconnected()
      if (reason !== null) this.reports.onDropped(this, reason)
      const why = problem ?? reason ?? this.problem
      this.report(state, why)
      if (state === connectivityState.TRANSIENT_FAILURE) this.reports.onFailed(this, why ?? '')
    }
    // Every endpoint stays connected, drained or not: a connection must not wait for the first pick.
    if (state === connectivityState.IDLE) this.leaf.exitIdle()
  }

  private connected(result: experimental.PickResult): void {
    // READY may be told again for the same connection, which changes nothing.
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

  /** @returns why the connection ended, null where there was none */
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
