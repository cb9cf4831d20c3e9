import { type ChannelOptions, connectivityState, experimental, status } from '@grpc/grpc-js'
import type { EndpointId } from '../domain/endpoint.js'
import type { Chooser, Policy } from '../policies/index.js'
import { Child } from './child.js'
import { isRegistered, type RegisteredEndpoint } from './endpoint.js'
import { type Observer, observerOf } from './observer.js'
import { PolicyPicker } from './picker.js'

/** Under this name a policy is known to grpc-js, whose own names must stay its own. */
export function grpcPolicyName(policy: Policy): string {
  return `disco_${policy.name}`
}

export function registerPolicy(policy: Policy): void {
  const name = grpcPolicyName(policy)
  class Balancer extends PolicyBalancer {
    constructor(helper: experimental.ChannelControlHelper) {
      super(policy, helper)
    }
  }
  class Config implements experimental.TypedLoadBalancingConfig {
    getLoadBalancerName = () => name
    toJsonObject = () => ({ [name]: {} })
    static createFromJson = () => new Config()
  }
  experimental.registerLoadBalancerType(name, Balancer, Config)
}

/**
 * Keeps one child per endpoint and tells the policy who is in rotation: READY, and not drained. Children and
 * the policy's state outlive every new list, weight change and reconnect of others.
 */
class PolicyBalancer implements experimental.LoadBalancer {
  private readonly children = new Map<EndpointId, Child>()
  /** Who is in rotation, at which weight. */
  private readonly rotation = new Map<Child, number>()
  private readonly chooser: Chooser<Child>
  private observer: Observer = {}
  private picker: experimental.Picker
  private reported: connectivityState | null = null
  private isUpdating = false
  private hasNewRotation = false
  private note = ''

  constructor(
    private readonly policy: Policy,
    private readonly helper: experimental.ChannelControlHelper,
  ) {
    this.chooser = policy.create<Child>()
    this.picker = new PolicyPicker(this.chooser, this.observer)
  }

  updateAddressList(
    list: experimental.StatusOr<experimental.Endpoint[]>,
    _config: experimental.TypedLoadBalancingConfig,
    options: ChannelOptions,
    resolutionNote: string,
  ): boolean {
    this.observe(observerOf(options))
    this.note = resolutionNote
    if (!list.ok) {
      if (this.children.size === 0) this.report(connectivityState.TRANSIENT_FAILURE, list.error.details)
      return true
    }
    const endpoints = new Map(list.value.filter(isRegistered).map((endpoint) => [endpoint.id, endpoint]))
    this.isUpdating = true
    for (const [id, child] of this.children) if (!endpoints.has(id)) this.remove(id, child)
    for (const endpoint of endpoints.values()) this.put(endpoint, options)
    this.isUpdating = false
    this.settle()
    return list.value.length > 0
  }

  exitIdle(): void {
    // Children connect by themselves and never stay idle.
  }

  resetBackoff(): void {
    // The backoff of a failing child is its subchannel's.
  }

  destroy(): void {
    for (const [id, child] of this.children) this.remove(id, child)
  }

  getTypeName(): string {
    return grpcPolicyName(this.policy)
  }

  private observe(observer: Observer): void {
    if (observer === this.observer) return
    this.observer = observer
    this.picker = new PolicyPicker(this.chooser, observer)
  }

  private put(endpoint: RegisteredEndpoint, options: ChannelOptions): void {
    const known = this.children.get(endpoint.id)
    if (known) {
      known.endpoint = endpoint
      this.rotate(known)
      return
    }
    const child = new Child(endpoint, this.helper, options, this.note, {
      onState: (changed) => {
        this.rotate(changed)
        const isReady = changed.state === connectivityState.READY
        this.observer.connectivity?.(changed.endpoint, isReady, changed.problem)
        if (!this.isUpdating) this.settle()
      },
      onDropped: () => this.helper.requestReresolution(),
    })
    this.children.set(endpoint.id, child)
    child.connect()
  }

  private remove(id: EndpointId, child: Child): void {
    this.children.delete(id)
    this.leave(child)
    child.destroy()
  }

  /** Brings the policy's idea of a child in line with its state and weight. */
  private rotate(child: Child): void {
    const weight = child.state === connectivityState.READY ? child.endpoint.weight : 0
    const before = this.rotation.get(child) ?? 0
    if (weight === before) return
    if (weight === 0) {
      this.leave(child)
      return
    }
    if (before === 0) this.chooser.join(child, weight)
    else this.chooser.reweigh(child, weight)
    this.rotation.set(child, weight)
    this.hasNewRotation = true
  }

  private leave(child: Child): void {
    if (!this.rotation.delete(child)) return
    this.chooser.leave(child)
    this.hasNewRotation = true
  }

  /** Tells the channel, and the observer, what the children have come to. */
  private settle(): void {
    if (this.hasNewRotation && this.observer.rotation) {
      const weightOf = (weight: number) => (this.policy.weighted ? weight : 1)
      const entries = [...this.rotation].map(([child, weight]) => [child.endpoint, weightOf(weight)] as const)
      this.observer.rotation(new Map(entries))
    }
    this.hasNewRotation = false
    if (this.chooser.size > 0) {
      this.report(connectivityState.READY, null)
      return
    }
    const waiting = [...this.children.values()].filter(({ endpoint }) => endpoint.weight > 0)
    const connecting = waiting.some(({ state }) => state !== connectivityState.TRANSIENT_FAILURE)
    if (connecting) this.report(connectivityState.CONNECTING, null)
    else this.report(connectivityState.TRANSIENT_FAILURE, this.whyNobody(waiting))
  }

  private whyNobody(waiting: readonly Child[]): string {
    if (this.children.size === 0) return `No endpoint to dial. ${this.note}`
    if (waiting.length === 0) return `Every endpoint is drained (weight 0). ${this.note}`
    const failures = waiting.map(({ endpoint, problem }) => `${endpoint.registration.addr}: ${problem}`)
    return `No endpoint is READY: ${failures.slice(0, 3).join('; ')}`
  }

  /** While READY the picker asks the living policy, so a new one is pushed only when the state changes. */
  private report(state: connectivityState, problem: string | null): void {
    if (state === this.reported && problem === null) return
    this.reported = state
    this.helper.updateState(state, this.pickerFor(state, problem), problem)
  }

  private pickerFor(state: connectivityState, problem: string | null): experimental.Picker {
    if (state === connectivityState.READY) return this.picker
    if (state === connectivityState.CONNECTING) return new experimental.QueuePicker(this)
    return new experimental.UnavailablePicker({ code: status.UNAVAILABLE, details: problem ?? '' })
  }
}
