import type { EndpointId } from '../domain/endpoint.js'
import { whyNobody, whyNotPinned } from '../grpc/balancer/absence.js'
import { Census } from '../grpc/balancer/census.js'
import { OutstandingCalls } from '../grpc/balancer/outstanding.js'
import { Rotation } from '../grpc/balancer/rotation.js'
import { type RegisteredEndpoint, registeredById } from '../grpc/resolver/endpoint.js'
import type { SelectedList } from '../grpc/resolver/live-list.js'
import type { Observer } from '../grpc/resolver/observer.js'
import { type TargetListener, TargetWatch } from '../grpc/resolver/target-watch.js'
import type { CallKeys, Policy } from '../policies/index.js'
import { Upstream, type UpstreamReports, type UpstreamSettings } from './upstream.js'

export interface ServiceSettings extends UpstreamSettings {
  readonly policy: Policy
  readonly observer: Observer
}

/** Why no endpoint takes a call. */
export interface Absence {
  readonly why: string
  /** An endpoint is still connecting, so a call may wait for it. */
  readonly isComing: boolean
}

/** A call that waits for an endpoint. */
export interface WaitingCall {
  /** Endpoints have changed. */
  retry(): void
}

/**
 * The endpoints of one target, and the rotation of those that can be picked, by the same parts as the balancer of a
 * channel: upstreams, their counts of calls and the policy's state outlive every new list.
 */
export class BalancedService implements TargetListener {
  readonly policy: Policy
  private readonly upstreams = new Map<EndpointId, Upstream>()
  private readonly census = new Census<Upstream>()
  private readonly rotation: Rotation<Upstream>
  /** The counts of endpoints that left while calls were running there: they may come back. */
  private readonly outstandingOfLeavers = new Map<EndpointId, OutstandingCalls>()
  private readonly waiting = new Set<WaitingCall>()
  private readonly watch: TargetWatch
  private note: string | null = null
  private failure: string | null = null
  private isUpdating = false

  /** @throws DiscoError USAGE for a target that cannot be read */
  constructor(
    target: string,
    private readonly settings: ServiceSettings,
  ) {
    this.policy = settings.policy
    this.rotation = new Rotation(settings.policy)
    this.watch = new TargetWatch(target, this)
  }

  get name(): TargetWatch['name'] {
    return this.watch.name
  }

  get members(): Iterable<Upstream> {
    return this.upstreams.values()
  }

  /** Whether there is a list, and each of its endpoints has been connected to, or was not reached. */
  get isSettled(): boolean {
    return (
      this.note !== null &&
      [...this.upstreams.values()].every(({ isReady, isFailing }) => isReady || isFailing)
    )
  }

  get hasList(): boolean {
    return this.note !== null
  }

  choose(keys: CallKeys): Upstream | Absence {
    const chosen = this.rotation.chooser.choose(keys)
    if (chosen) return chosen
    if (this.note === null) {
      return { why: this.failure ?? 'The endpoints are not known yet', isComing: this.failure === null }
    }
    if (this.rotation.size > 0) {
      const why = whyNotPinned(this.policy, keys, this.upstreams.values())
      return { why: why ?? 'The pinned endpoint is connecting', isComing: why === null }
    }
    if (this.census.hasHope) return { why: 'The endpoints are connecting', isComing: true }
    return { why: whyNobody(this.upstreams.size, this.census, this.note), isComing: false }
  }

  /** The call is notified of changes until it leaves. */
  join(call: WaitingCall): void {
    this.waiting.add(call)
  }

  leave(call: WaitingCall): void {
    this.waiting.delete(call)
  }

  close(): void {
    this.watch.close()
    for (const [id, upstream] of this.upstreams) this.remove(id, upstream)
    this.settle()
  }

  list(endpoints: readonly RegisteredEndpoint[], note: string): void {
    const byId = registeredById(endpoints)
    this.note = note
    this.isUpdating = true
    for (const [id, outstanding] of this.outstandingOfLeavers)
      if (outstanding.count === 0) this.outstandingOfLeavers.delete(id)
    for (const [id, upstream] of this.upstreams) if (!byId.has(id)) this.remove(id, upstream)
    let rank = 0
    for (const endpoint of byId.values()) this.put(endpoint, rank++)
    this.isUpdating = false
    this.settle()
  }

  failed(details: string): void {
    this.failure = details
    this.settle()
  }

  resolved(now: SelectedList): void {
    this.settings.observer.resolved?.(now)
  }

  private put(endpoint: RegisteredEndpoint, rank: number): void {
    const known = this.upstreams.get(endpoint.id)
    if (known) {
      known.rank = rank
      if (known.endpoint === endpoint) return
      const isRenamed = known.endpoint.registration.id !== endpoint.registration.id
      known.endpoint = endpoint
      if (isRenamed) this.rotation.chooser.rename?.(known)
      this.place(known)
      return
    }
    const outstanding = this.outstandingOfLeavers.get(endpoint.id) ?? new OutstandingCalls()
    this.outstandingOfLeavers.delete(endpoint.id)
    const upstream = new Upstream(endpoint, outstanding, this.settings, this.reports)
    upstream.rank = rank
    outstanding.onChange = () => this.rotation.recount(upstream)
    this.census.place(upstream)
    this.upstreams.set(endpoint.id, upstream)
    upstream.connect()
  }

  private remove(id: EndpointId, upstream: Upstream): void {
    this.upstreams.delete(id)
    this.rotation.remove(upstream)
    this.census.remove(upstream)
    upstream.close()
    if (upstream.outstanding.count > 0) this.outstandingOfLeavers.set(id, upstream.outstanding)
  }

  private readonly reports: UpstreamReports = {
    onState: (upstream) => {
      this.place(upstream)
      this.settings.observer.connectivity?.(upstream.endpoint, upstream.isReady, upstream.problem)
      if (!this.isUpdating) this.settle()
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

  private place(upstream: Upstream): void {
    this.rotation.place(upstream)
    this.census.place(upstream)
  }

  /** Notifies the observer and the waiting calls of changes. */
  private settle(): void {
    const changes = this.rotation.takeChanges()
    if (changes) this.settings.observer.rotated?.(changes)
    for (const call of [...this.waiting]) call.retry()
  }
}

/** The name of a service for people: as it is registered, or the target of another scheme. */
export function serviceName({ name }: BalancedService): string {
  return name.service ?? name.target
}
