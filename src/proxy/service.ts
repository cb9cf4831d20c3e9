import type { MemberReports } from '../grpc/balancer/member.js'
import { Membership } from '../grpc/balancer/membership.js'
import { whyNoneReady, whyNotPinned } from '../grpc/balancer/pick-failure.js'
import { Priorities } from '../grpc/balancer/priorities.js'
import { type RegisteredEndpoint, registeredById } from '../grpc/resolver/endpoint.js'
import type { RegistryState } from '../grpc/resolver/list-part.js'
import type { SelectedList } from '../grpc/resolver/live-list.js'
import type { Observer } from '../grpc/resolver/observer.js'
import { type TargetListener, TargetWatch } from '../grpc/resolver/target-watch.js'
import type { CallKeys, Policy } from '../policies/index.js'
import { Upstream, type UpstreamSettings } from './upstream.js'

/** Calls of a proxy are not numbered. */
const NO_CALL_ID = 0

export interface ServiceSettings extends UpstreamSettings {
  readonly policy: Policy
  readonly observer: Observer
}

/** The reason why no endpoint can be picked for a call. */
export interface Absence {
  readonly why: string
  /**
   * Whether the call should wait: there is no list yet and resolution has not failed, or an endpoint that the call could
   * use is still connecting.
   */
  readonly shouldWait: boolean
}

/** A call that waits for an endpoint. */
export interface WaitingCall {
  /**
   * Called when `choose` may have another result: endpoints or connections have changed, resolution has failed, or the
   * service is closed.
   */
  retry(): void
}

/**
 * Resolves one target and picks among its endpoints. Uses the same classes as the LB policy of a channel.
 */
export class BalancedService implements TargetListener {
  readonly policy: Policy
  private readonly upstreams: Membership<Upstream>
  private readonly priorities: Priorities<Upstream>
  private readonly waiting = new Set<WaitingCall>()
  private readonly watch: TargetWatch
  /**
   * A description of the list, for messages: how many endpoints are registered, the selector of the target, and which
   * registries are unreachable. Empty for targets without a registry; null before the first list.
   */
  private note: string | null = null
  /** The state of each registry, if there are several; null otherwise. */
  registries: readonly RegistryState[] | null = null
  /** The last failure to resolve the target; null before the first. A later list does not reset it. */
  private failure: string | null = null

  /** @throws DiscoError USAGE for an invalid target */
  constructor(
    target: string,
    private readonly settings: ServiceSettings,
  ) {
    this.policy = settings.policy
    this.priorities = new Priorities(settings.policy, () => this.settle())
    this.upstreams = new Membership(this.priorities)
    this.watch = new TargetWatch(target, this)
  }

  get name(): TargetWatch['name'] {
    return this.watch.name
  }

  get members(): Iterable<Upstream> {
    return this.upstreams.all
  }

  /**
   * Whether a list has arrived, every registry has answered (if there are several), and each endpoint is READY or has
   * failed to connect.
   */
  get isSettled(): boolean {
    return (
      this.note !== null &&
      (this.registries ?? []).every(({ hasAnswered }) => hasAnswered) &&
      [...this.upstreams.all].every(({ isReady, isFailing }) => isReady || isFailing)
    )
  }

  get hasList(): boolean {
    return this.note !== null
  }

  choose(keys: CallKeys): Upstream | Absence {
    const chosen = this.priorities.chooser.choose(keys)
    if (chosen) {
      this.settings.observer.picked?.(chosen.endpoint, NO_CALL_ID)
      return chosen
    }
    if (this.note === null) {
      return { why: this.failure ?? 'The endpoints are not known yet', shouldWait: this.failure === null }
    }
    if (this.priorities.size > 0) {
      const why = whyNotPinned(this.policy, keys, this.upstreams.all)
      return { why: why ?? 'The pinned endpoint is connecting', shouldWait: why === null }
    }
    if (this.upstreams.stateCounts.mayBecomeReady)
      return { why: 'The endpoints are connecting', shouldWait: true }
    return { why: whyNoneReady(this.upstreams, this.note), shouldWait: false }
  }

  /** Calls `retry` whenever `choose` may have another result, until `leave`. */
  join(call: WaitingCall): void {
    this.waiting.add(call)
  }

  leave(call: WaitingCall): void {
    this.waiting.delete(call)
  }

  close(): void {
    this.watch.close()
    this.upstreams.close()
    this.settle()
    this.priorities.close()
  }

  list(endpoints: readonly RegisteredEndpoint[], note: string): void {
    this.note = note
    this.upstreams.update(
      registeredById(endpoints),
      (endpoint, outstanding) => new Upstream(endpoint, outstanding, this.settings, this.reports),
    )
    this.settle()
  }

  failed(details: string): void {
    this.failure = details
    this.settle()
  }

  resolved(now: SelectedList): void {
    this.registries = now.registries ?? null
    this.settings.observer.resolved?.(now)
  }

  private readonly reports: MemberReports<Upstream> = {
    onState: (upstream) => {
      this.upstreams.place(upstream)
      this.settings.observer.connectivity?.(upstream.endpoint, upstream.isReady, upstream.problem)
      if (!this.upstreams.isUpdating) this.settle()
    },
    onFailed: ({ endpoint }, problem) => {
      this.settings.observer.failed?.(endpoint, problem)
      this.watch.refresh()
    },
    onDropped: ({ endpoint }, reason) => {
      this.settings.observer.dropped?.(endpoint, reason)
      this.watch.refresh()
    },
  }

  /** Notifies the observer of changes, and lets the waiting calls pick again. */
  private settle(): void {
    this.priorities.settle()
    const { observer } = this.settings
    const changes = this.priorities.takeChanges(observer.rotated !== undefined)
    if (changes) observer.rotated?.(changes)
    for (const call of [...this.waiting]) call.retry()
  }
}

/** The name of a service in output: its registered name, or the target if the target has no registry. */
export function serviceName({ name }: BalancedService): string {
  return name.service ?? name.target
}
