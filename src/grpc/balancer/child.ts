import { type ChannelOptions, connectivityState, experimental, Metadata } from '@grpc/grpc-js'
import { type Health, HealthWatch } from '../health/watch.js'
import { namesOf, type RegisteredEndpoint } from '../resolver/endpoint.js'
import type { Load } from './load.js'

export interface ChildReports {
  /** The child's state changed; what it is now is in the child. */
  onState(child: Child): void
  onDropped(): void
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
export class Child {
  /** READY where calls can go; CONNECTING, too, while a connection's health is not known yet. */
  state: connectivityState = connectivityState.IDLE
  /** Why it is not READY, as far as that is known. */
  problem: string | null = null
  /** What a picker answers to send a call here; null without a connection. Made once for it, not per pick. */
  result: experimental.PickResult | null = null
  /** Its place in the resolver's list. */
  rank = 0
  private readonly leaf: experimental.LeafLoadBalancer
  private healthWatch: HealthWatch | null = null
  private isDestroyed = false

  constructor(
    public endpoint: RegisteredEndpoint,
    readonly load: Load,
    private readonly settings: ChildSettings,
    private readonly reports: ChildReports,
  ) {
    const { helper, options, resolutionNote } = settings
    const own = experimental.createChildChannelControlHelper(helper, {
      updateState: (state, picker, problem) => this.update(state, picker, problem),
    })
    this.leaf = new experimental.LeafLoadBalancer(endpoint, own, options, resolutionNote)
  }

  /** By which it can be pinned. */
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
    const wasConnected = this.result !== null
    if (state === connectivityState.READY) this.connected(picker.pick(ANY_CALL))
    else {
      this.disconnected()
      this.report(state, problem ?? this.problem)
    }
    if (wasConnected && state !== connectivityState.READY) this.reports.onDropped()
    // Every endpoint stays connected, drained or not: a connection must not wait for the first pick.
    if (state === connectivityState.IDLE) this.leaf.exitIdle()
  }

  private connected(result: experimental.PickResult): void {
    // READY may be told again for the same connection, which changes nothing.
    if (this.result?.subchannel === result.subchannel) return
    const { onCallStarted, onCallEnded } = this.load
    this.result = { ...result, onCallStarted, onCallEnded }
    const { healthService } = this.settings
    this.healthWatch?.stop()
    if (healthService === null || !result.subchannel) {
      this.report(connectivityState.READY, null)
      return
    }
    const channel = result.subchannel.getChannel()
    this.healthWatch = new HealthWatch(channel, healthService, (health) => this.judge(health))
    this.report(connectivityState.CONNECTING, 'its health is not known yet')
  }

  private disconnected(): void {
    this.result = null
    this.healthWatch?.stop()
    this.healthWatch = null
  }

  private judge({ isServing, problem }: Health): void {
    this.report(isServing ? connectivityState.READY : connectivityState.TRANSIENT_FAILURE, problem)
  }

  private report(state: connectivityState, problem: string | null): void {
    this.state = state
    this.problem = problem
    this.reports.onState(this)
  }
}
