import { type ChannelOptions, connectivityState, experimental } from '@grpc/grpc-js'
import type { RegisteredEndpoint } from './endpoint.js'

export interface ChildReports {
  /** The child's connection changed; what it is now is in the child. */
  onState(child: Child): void
  onDropped(): void
}

/**
 * One endpoint's connection and the picker that goes with it. It stays for as long as the endpoint does:
 * a new weight changes its endpoint and nothing else.
 */
export class Child {
  state: connectivityState = connectivityState.IDLE
  problem: string | null = null
  picker: experimental.Picker | null = null
  private readonly leaf: experimental.LeafLoadBalancer
  private isDestroyed = false

  constructor(
    public endpoint: RegisteredEndpoint,
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
    this.picker = picker
    this.problem = state === connectivityState.READY ? null : (problem ?? this.problem)
    this.reports.onState(this)
    if (wasReady && state !== connectivityState.READY) this.reports.onDropped()
    // Every endpoint stays connected, drained or not: a connection must not wait for the first pick.
    if (state === connectivityState.IDLE) this.leaf.exitIdle()
  }
}
