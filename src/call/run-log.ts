import type { Update } from '../domain/discovery.js'
import { type Endpoint, type EndpointId, endpointId, type Revision } from '../domain/endpoint.js'
import { effectiveWeights } from '../domain/shares.js'
import { connectionProblem, isDescriptorLimit } from '../grpc/connection-problem.js'
import type { RegisteredEndpoint } from '../grpc/resolver/endpoint.js'
import type { SelectedList } from '../grpc/resolver/live-list.js'
import type { Observer, RotationChange } from '../grpc/resolver/observer.js'
import { ShareLedger } from '../stats/share-ledger.js'
import { ConnectionStates } from './connection-states.js'
import type { RunSeries } from './run-series.js'
import { Timeline } from './timeline.js'

/** An endpoint in its last registered state, and its picks during the run. */
export interface EndpointLog {
  endpoint: Endpoint
  /** Picks and retries. */
  attempts: number
  /** Milliseconds of `performance.now()`; null before the first pick. */
  lastPickAtMs: number | null
  /** Connections that ended, by reason. */
  reconnects: Record<string, number>
}

/**
 * Records the endpoints in a channel's rotation and its picks during a run. The cost of an event is proportional to its
 * changes. Only a new list costs O(number of endpoints).
 *
 * An endpoint is a member if it is registered, selected and not drained, READY or not: it joins or leaves only if the
 * registry or the selection changes.
 */
export class RunLog implements Observer {
  /** The first pick of each call. The report's shares come from here. */
  ledger = new ShareLedger()
  /** All picks, including retries. A retry advances a rotation, so only all picks together follow the weights. */
  attempts = new ShareLedger()
  timeline = new Timeline(0)
  readonly seen = new Map<EndpointId, EndpointLog>()
  readonly connections = new ConnectionStates()
  list: SelectedList | null = null
  /** Why a resolver other than the registry's, such as dns, has no list. */
  unresolvedBy: string | null = null
  /** Whether a connection failed because this process has no file descriptors left. */
  isOutOfDescriptors = false
  private calls = 0
  private series: RunSeries | null = null
  private isRunning = false
  /** The endpoints in rotation, with their weights. */
  private readonly weights = new Map<EndpointId, number>()
  /** The same endpoints, with weights proportional to their shares. Equal to `weights` with a single registry. */
  private readonly shareWeights = new Map<EndpointId, number>()
  private readonly members = new Set<EndpointId>()
  private readonly idsByKey = new Map<string, Set<EndpointId>>()
  private readonly endpointByCall = new Map<number, RegisteredEndpoint>()
  private onChange: () => void = () => undefined

  /** The revision of the list; 0 before the first. */
  get revision(): Revision {
    return this.list?.revision ?? 0
  }

  /** The registered endpoints that the target selects. */
  get registered(): readonly Endpoint[] {
    return this.list?.selected ?? []
  }

  /** Starts the run: resets all picks and changes. @param series also receives picks and shares */
  begin(startedAtMs: number, series: RunSeries | null = null): void {
    this.ledger = new ShareLedger()
    this.attempts = new ShareLedger()
    this.timeline = new Timeline(startedAtMs)
    this.calls = 0
    this.isRunning = true
    for (const seen of this.seen.values()) {
      Object.assign(seen, { attempts: 0, lastPickAtMs: null, reconnects: {} })
    }
    this.members.clear()
    for (const id of [...this.connections.wanted.keys(), ...this.weights.keys()]) this.members.add(id)
    this.ledger.change(this.shareWeights)
    this.attempts.change(this.shareWeights)
    this.series = series
    series?.begin(startedAtMs, this.shareWeights)
  }

  heard(update: Update): void {
    if (update.type === 'stale' || update.type === 'reset') return
    for (const change of update.changes) {
      const now = new Set(change.type === 'put' ? change.endpoints.map(endpointId) : [])
      for (const id of this.idsByKey.get(keyIdOf(change.key, update.registry)) ?? []) {
        const seen = this.seen.get(id)
        if (seen) this.timeline.registered(id, seen.endpoint, now.has(id))
      }
    }
  }

  resolved(list: SelectedList): void {
    this.list = list
    if (list.isNew) this.connections.list(list.selected, effectiveWeights(list.registered))
    this.onChange()
  }

  unresolved(problem: string): void {
    this.unresolvedBy = problem
    this.onChange()
  }

  connectivity(endpoint: RegisteredEndpoint, isReady: boolean, problem: string | null): void {
    this.connections.changed(endpoint.id, isReady, problem)
    this.see(endpoint)
    if (isReady) this.timeline.returned(endpoint.id)
    this.onChange()
  }

  failed({ id }: RegisteredEndpoint, problem: string): void {
    this.connections.failed(id, problem)
    this.isOutOfDescriptors ||= isDescriptorLimit(problem)
    this.timeline.refused(id, connectionProblem(problem))
    this.onChange()
  }

  dropped(endpoint: RegisteredEndpoint, reason: string): void {
    const seen = this.see(endpoint)
    seen.reconnects[reason] = (seen.reconnects[reason] ?? 0) + 1
    this.timeline.dropped(endpoint.id, endpoint.registration, this.calls + 1, reason)
  }

  rotated(changes: readonly RotationChange[]): void {
    const registered = new Map<EndpointId, number>()
    const reconnected = new Map<EndpointId, number>()
    /** Endpoints whose share changed only because of other endpoints. */
    const rebalanced = new Map<EndpointId, number>()
    for (const change of changes) {
      const { id } = change.endpoint
      const { weight, shareWeight = weight } = change
      const before = this.weights.get(id) ?? 0
      const isSame = before === weight && (weight > 0 || change.isAway)
      const isChange = this.applyChange(change)
      if (isSame && this.shareWeights.get(id) === (weight > 0 ? shareWeight : undefined)) continue
      if (weight > 0) this.shareWeights.set(id, shareWeight)
      else this.shareWeights.delete(id)
      const kind = isSame ? rebalanced : isChange ? registered : reconnected
      kind.set(id, weight > 0 ? shareWeight : 0)
    }
    const cause = registered.size > 0 ? registered : reconnected
    for (const [id, shareWeight] of rebalanced) cause.set(id, shareWeight)
    if (!this.isRunning) return
    for (const ledger of [this.ledger, this.attempts]) {
      if (registered.size > 0) ledger.change(registered)
      if (reconnected.size > 0) ledger.reconnect(reconnected)
    }
    for (const changed of [registered, reconnected]) if (changed.size > 0) this.series?.rotated(changed)
  }

  picked(endpoint: RegisteredEndpoint, callId: number): void {
    const { id } = endpoint
    // Only the first pick of a call counts for the shares; later ones are retries.
    if (!this.endpointByCall.has(callId)) {
      this.ledger.pick(id)
      this.series?.picked(id)
      this.calls++
    }
    this.attempts.pick(id)
    this.endpointByCall.set(callId, endpoint)
    const seen = this.seen.get(id) ?? this.see(endpoint)
    seen.attempts++
    seen.lastPickAtMs = performance.now()
    this.timeline.picked(id)
  }

  /** The last endpoint that was picked for a finished call; undefined if none was. */
  takeEndpoint(callId: number): RegisteredEndpoint | undefined {
    const endpoint = this.endpointByCall.get(callId)
    this.endpointByCall.delete(callId)
    return endpoint
  }

  /** Waits for a condition, which is checked on every change. Resolves with false if the signal aborts first. */
  until(condition: () => boolean, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const check = () => {
        if (!condition() && !signal.aborted) return
        this.onChange = () => undefined
        signal.removeEventListener('abort', check)
        resolve(condition())
      }
      this.onChange = check
      signal.addEventListener('abort', check)
      check()
    })
  }

  /** @returns whether registry or selection changed, rather than a connection */
  private applyChange({ endpoint, weight, isAway }: RotationChange): boolean {
    const { id, registration } = endpoint
    const before = this.weights.get(id)
    const isMember = this.members.has(id)
    this.see(endpoint)
    if (weight === 0) this.weights.delete(id)
    else this.weights.set(id, weight)
    if (isAway) return false
    const atCall = this.calls + 1
    if (weight === 0) {
      this.members.delete(id)
      if (this.isRunning) this.timeline.changed(registration, atCall, { type: 'left', why: this.whyLeft(id) })
      return true
    }
    this.members.add(id)
    if (before === weight) return false
    if (before !== undefined) {
      if (this.isRunning) {
        this.timeline.changed(registration, atCall, { type: 'weight', from: before, to: weight })
      }
      return true
    }
    if (isMember) return false
    if (this.isRunning) this.timeline.changed(registration, atCall, { type: 'joined', weight })
    return true
  }

  private see({ id, registration }: RegisteredEndpoint): EndpointLog {
    let seen = this.seen.get(id)
    if (!seen) {
      seen = { endpoint: registration, attempts: 0, lastPickAtMs: null, reconnects: {} }
      this.seen.set(id, seen)
      const keyId = keyIdOf(registration.key, registration.origin?.registry)
      const ids = this.idsByKey.get(keyId) ?? new Set()
      this.idsByKey.set(keyId, ids.add(id))
    }
    seen.endpoint = registration
    return seen
  }

  private whyLeft(id: EndpointId): string {
    return this.connections.isListed(id) ? 'drained' : 'gone from the registry'
  }
}

/** Identifies a key of one of several registries, which may have the same keys. */
function keyIdOf(key: string, registry = ''): string {
  return `${registry}\0${key}`
}
