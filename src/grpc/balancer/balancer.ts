import { type ChannelOptions, connectivityState, experimental, Metadata, status } from '@grpc/grpc-js'
import { DiscoError } from '../../domain/errors.js'
import type { CallKeys, Policy, PolicyKind } from '../../policies/index.js'
import { healthServiceOf } from '../health/watch.js'
import { isOfAnotherResolver, registeredById, unwatchedList } from '../resolver/endpoint.js'
import { type Observer, observerOf } from '../resolver/observer.js'
import { grpcPolicyName, type PolicyConfig, policyConfigOf } from '../resolver/policy-config.js'
import { Child } from './child.js'
import type { MemberReports } from './member.js'
import { Membership } from './membership.js'
import { whyNoneReady, whyNotPinned } from './pick-failure.js'
import { PolicyPicker } from './picker.js'
import { Priorities } from './priorities.js'

/** Registers a policy with grpc-js, as `disco_<name>`. */
export function registerPolicy(kind: PolicyKind): void {
  const name = grpcPolicyName(kind)
  class Balancer extends PolicyBalancer {
    getTypeName = () => name
  }
  experimental.registerLoadBalancerType(name, Balancer, policyConfigOf(kind))
}

/** Keeps one child per endpoint and, for each registry, a rotation of the children that can be picked. */
abstract class PolicyBalancer implements experimental.LoadBalancer {
  private readonly children = new Membership<Child>(null)
  private priorities: Priorities<Child> | null = null
  private observer: Observer = observerOf({})
  private picker: experimental.Picker = new experimental.QueuePicker(this)
  private reported: connectivityState | null = null
  /**
   * Whether there may be calls that wait for a new picker: the READY picker in use has queued or failed a pick. grpc-js
   * retries a failed pick if the call has `waitForReady`.
   */
  private hasWaitingPicks = false
  private note = ''
  private health: { readonly config: string | undefined; readonly service: string | null } | null = null

  constructor(private readonly helper: experimental.ChannelControlHelper) {}

  abstract getTypeName(): string

  updateAddressList(
    list: experimental.StatusOr<experimental.Endpoint[]>,
    config: experimental.TypedLoadBalancingConfig,
    options: ChannelOptions,
    resolutionNote: string,
  ): boolean {
    this.note = resolutionNote
    const priorities = this.follow((config as PolicyConfig).policy, observerOf(options))
    if (!priorities) return true
    if (!list.ok) {
      if (this.children.size === 0) {
        this.observer.unresolved?.(list.error.details)
        this.report(connectivityState.TRANSIENT_FAILURE, list.error.details)
      }
      return true
    }
    const endpoints = registeredById(list.value)
    if (isOfAnotherResolver(list.value)) this.observer.resolved?.(unwatchedList(endpoints))
    const healthService = this.healthService(options)
    const settings = { helper: this.helper, options, resolutionNote, healthService }
    this.children.update(
      endpoints,
      (endpoint, outstanding) => new Child(endpoint, outstanding, settings, this.reports),
    )
    this.settle()
    return true
  }

  /**
   * The service whose health is watched; null if health is not watched. The service config is parsed again only if it
   * has changed, although grpc-js passes new options with every list.
   */
  private healthService(options: ChannelOptions): string | null {
    const config = options['grpc.service_config']
    if (!this.health || this.health.config !== config)
      this.health = { config, service: healthServiceOf(config) }
    return this.health.service
  }

  exitIdle(): void {
    // Not needed: children connect by themselves and are never idle.
  }

  resetBackoff(): void {
    // Not supported: pending waits before a reconnection are kept.
  }

  destroy(): void {
    this.children.close()
    this.priorities?.close()
  }

  /**
   * Returns the `Priorities` object of `policy`: the one in use if it has the same policy, otherwise a new one with the
   * same children. If `policy` is an error, returns the one in use, or null if the channel has never had a valid policy.
   */
  private follow(policy: Policy | DiscoError, observer: Observer): Priorities<Child> | null {
    if (policy instanceof DiscoError) {
      // The previous policy stays in use. A channel that has never had a valid policy fails its calls with the reason.
      const hints = policy.suggestions.join('. ')
      if (!this.priorities) this.report(connectivityState.TRANSIENT_FAILURE, `${policy.message}. ${hints}`)
      return this.priorities
    }
    const { priorities: known } = this
    const isKnown = known !== null && isSamePolicy(known.policy, policy)
    if (isKnown && observer === this.observer) return known
    this.observer = observer
    if (!isKnown) known?.close()
    const priorities = isKnown ? known : new Priorities<Child>(policy, () => this.settle())
    this.children.setPriorities(priorities)
    this.priorities = priorities
    priorities.settle()
    this.renewPicker(priorities)
    return priorities
  }

  private renewPicker({ policy, chooser }: Priorities<Child>): void {
    this.picker = new PolicyPicker(policy, chooser, this.observer, (keys) => this.resultIfNoneReady(keys))
    this.reported = null
  }

  private readonly reports: MemberReports<Child> = {
    onState: (child) => {
      this.children.place(child)
      this.observer.connectivity?.(child.endpoint, child.isReady, child.problem)
      if (!this.children.isUpdating) this.settle()
    },
    onFailed: ({ endpoint }, problem) => this.observer.failed?.(endpoint, problem),
    onDropped: ({ endpoint }, reason) => {
      this.observer.dropped?.(endpoint, reason)
      this.helper.requestReresolution()
    },
  }

  /**
   * Reports the aggregated connectivity state to the channel, and the changes of the rotation to the observer. The cost
   * depends on the number of changes, not on the number of endpoints, unless the observer takes the whole rotation, or
   * several registries share the calls.
   */
  private settle(): void {
    const { priorities } = this
    if (priorities?.settle()) this.renewPicker(priorities)
    const changes = priorities?.takeChanges(this.observer.rotated !== undefined) ?? null
    if (changes) this.observer.rotated?.(changes)
    // A list of the whole rotation costs O(n), so it is built only for an observer that receives it.
    if (changes && priorities && this.observer.rotation) this.observer.rotation(priorities.all())
    if (priorities && priorities.size > 0) {
      if (changes && this.hasWaitingPicks) this.reported = null
      this.report(connectivityState.READY, null)
    } else if (this.children.stateCounts.mayBecomeReady) this.report(connectivityState.CONNECTING, null)
    else this.report(connectivityState.TRANSIENT_FAILURE, whyNoneReady(this.children, this.note))
  }

  /**
   * Reports a state with its picker to the channel, unless the channel already has this state and the state has no
   * problem text. A READY picker is not replaced when members change, because it reads the rotation at each pick. To
   * replace it anyway, set `reported` to null first.
   */
  private report(state: connectivityState, problem: string | null): void {
    if (state === this.reported && problem === null) return
    this.reported = state
    this.hasWaitingPicks = false
    this.helper.updateState(state, this.pickerFor(state, problem), problem)
  }

  private pickerFor(state: connectivityState, problem: string | null): experimental.Picker {
    if (state === connectivityState.READY) return this.picker
    if (state === connectivityState.CONNECTING) return new experimental.QueuePicker(this)
    return new experimental.UnavailablePicker({ code: status.UNAVAILABLE, details: problem ?? '' })
  }

  /**
   * The pick result when the policy returns no child: the rotation is empty or, under the policy `pinned`, the call is
   * not pinned or the pinned endpoint is not in the rotation. The call waits, or fails with the reason if waiting cannot
   * help.
   */
  private resultIfNoneReady(keys: CallKeys): experimental.PickResult {
    this.hasWaitingPicks = true
    if (!this.priorities || this.priorities.size === 0) return QUEUE
    const why = whyNotPinned(this.priorities.policy, keys, this.children.all)
    return why === null ? QUEUE : failure(why)
  }
}

function isSamePolicy(a: Policy, b: Policy): boolean {
  return a === b || JSON.stringify(a.config) === JSON.stringify(b.config)
}

/** The pick result that makes a call wait for the next picker. */
const QUEUE: experimental.PickResult = {
  pickResultType: experimental.PickResultType.QUEUE,
  subchannel: null,
  status: null,
  onCallStarted: null,
  onCallEnded: null,
}

function failure(details: string): experimental.PickResult {
  return {
    pickResultType: experimental.PickResultType.TRANSIENT_FAILURE,
    status: { code: status.UNAVAILABLE, details, metadata: new Metadata() },
    subchannel: null,
    onCallStarted: null,
    onCallEnded: null,
  }
}
