import { type ChannelOptions, connectivityState, experimental, Metadata } from '@grpc/grpc-js'
import type { RegisteredEndpoint } from './endpoint.js'
import type { Load } from './load.js'

export interface ChildReports {
  /** The child's connection changed; what it is now is in the child. */
  onState(child: Child): void
  onDropped(): void
}

/** The picker of a single connection looks at nothing of a call. */
const ANY_CALL: experimental.PickArgs = { metadata: new Metadata(), extraPickInfo: {} }

/**
 * One endpoint's connection and the pick that goes with it. It stays for as long as the endpoint does: a new
 * weight changes its endpoint and nothing else.
 */
export class Child {
  state: connectivityState = connectivityState.IDLE
  problem: string | null = null
  /** What a picker answers to send a call here; null unless READY. Made once a connection, not once a pick. */
  result: experimental.PickResult | null = null
  /** Its place in the resolver's list. */
  rank = 0
  private readonly leaf: experimental.LeafLoadBalancer
  private isDestroyed = false

  constructor(
    public endpoint: RegisteredEndpoint,
    readonly load: Load,
    helper: experimental.ChannelControlHelper,
    options: ChannelOptions,
    resolutionNote: string,
    private readonly reports: ChildReports,
  ) {
    const own = experimental.createChildChannelControlHelper(helper, {
      updateState: (state, picker, problem) => this.update(state, picker, problem),
    })
    this.leaf = new experimental.LeafLoadBalancer(endpoint, own, options, resolutionNote)
  }

  /** By which it can be pinned. */
  get names(): readonly string[] {
    const { id, key, addr } = this.endpoint.registration
    return id === undefined ? [key, addr] : [id, key, addr]
  }

  connect(): void {
    this.leaf.startConnecting()
  }

  destroy(): void {
    this.isDestroyed = true
    this.leaf.destroy()
  }

  private update(state: connectivityState, picker: experimental.Picker, problem: string | null): void {
    if (this.isDestroyed) return
    const wasReady = this.state === connectivityState.READY
    this.state = state
    const { onCallStarted, onCallEnded } = this.load
    this.result =
      state === connectivityState.READY ? { ...picker.pick(ANY_CALL), onCallStarted, onCallEnded } : null
    this.problem = state === connectivityState.READY ? null : (problem ?? this.problem)
    this.reports.onState(this)
    if (wasReady && state !== connectivityState.READY) this.reports.onDropped()
    // Every endpoint stays connected, drained or not: a connection must not wait for the first pick.
    if (state === connectivityState.IDLE) this.leaf.exitIdle()
  }
}
