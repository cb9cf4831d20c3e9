import type { Update } from '../domain/discovery.js'
import { type Endpoint, type EndpointId, endpointId, type Revision } from '../domain/endpoint.js'
import { inWords } from '../grpc/connection-problem.js'
import type { RegisteredEndpoint } from '../grpc/resolver/endpoint.js'
import type { ResolvedList } from '../grpc/resolver/live-list.js'
import type { Observer } from '../grpc/resolver/observer.js'
import { ShareLedger } from '../stats/share-ledger.js'
import { Timeline } from './timeline.js'

/** How an endpoint's connection stands. */
export interface Connection {
  readonly isReady: boolean
  readonly problem: string | null
}

/** An endpoint that was in the list, as it last was, and how it was picked. */
export interface Seen {
  endpoint: Endpoint
  /** Picks and retries. */
  attempts: number
  /** On performance.now()'s clock. */
  lastPickAtMs: number | null
}

/** Writes down what a channel does during a run: who could be picked, who was, and for which call. */
export class RunLog implements Observer {
  /** Calls, each by its first pick: the shares that a report shows. */
  ledger = new ShareLedger()
  /** Picks and retries. A retry moves the policy's rotation on, so only all of them together follow the weights. */
  attempts = new ShareLedger()
  timeline = new Timeline(0)
  readonly seen = new Map<EndpointId, Seen>()
  readonly connections = new Map<EndpointId, Connection>()
  list: ResolvedList | null = null
  private calls = 0
  private weights: ReadonlyMap<RegisteredEndpoint, number> = new Map()
  private readonly endpointByCall = new Map<number, RegisteredEndpoint>()
  private onChange: () => void = () => undefined

  /** The revision of the list; 0 before there was one. */
  get revision(): Revision {
    return this.list?.revision ?? 0
  }

  get registered(): readonly Endpoint[] {
    return this.list?.registered ?? []
  }

  /** Forgets what was picked and what has changed so far: from now on it counts. */
  begin(startedAtMs: number): void {
    this.ledger = new ShareLedger()
    this.attempts = new ShareLedger()
    this.timeline = new Timeline(startedAtMs)
    this.calls = 0
    for (const seen of this.seen.values()) Object.assign(seen, { attempts: 0, lastPickAtMs: null })
    this.rotation(this.weights)
  }

  heard(update: Update): void {
    this.timeline.heard(update, this.seen)
  }

  resolved(list: ResolvedList): void {
    this.list = list
    this.onChange()
  }

  connectivity(endpoint: RegisteredEndpoint, isReady: boolean, problem: string | null): void {
    this.connections.set(endpoint.id, { isReady, problem })
    this.see(endpoint)
    this.onChange()
  }

  rotation(weights: ReadonlyMap<RegisteredEndpoint, number>): void {
    this.weights = weights
    for (const endpoint of weights.keys()) this.see(endpoint)
    const byId = new Map([...weights].map(([{ id }, weight]) => [id, weight]))
    this.ledger.rotate(byId)
    this.attempts.rotate(byId)
    this.timeline.rotated(weights, this.calls + 1, (id) => this.whyAway(id))
  }

  picked(endpoint: RegisteredEndpoint, callId: number): void {
    const { id } = endpoint
    // A retry is another attempt of the same call: the first pick is the one that balancing made.
    if (!this.endpointByCall.has(callId)) {
      this.ledger.pick(id)
      this.calls++
    }
    this.attempts.pick(id)
    this.endpointByCall.set(callId, endpoint)
    const seen = this.seen.get(id) ?? this.see(endpoint)
    seen.attempts++
    seen.lastPickAtMs = performance.now()
    this.timeline.picked(id)
  }

  /** The endpoint that answered a finished call; none where it never was picked for. */
  takeEndpoint(callId: number): RegisteredEndpoint | undefined {
    const endpoint = this.endpointByCall.get(callId)
    this.endpointByCall.delete(callId)
    return endpoint
  }

  /** Resolves when `condition` holds, looked at on every change; false when the signal aborts first. */
  until(condition: () => boolean, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const look = () => {
        if (!condition() && !signal.aborted) return
        this.onChange = () => undefined
        signal.removeEventListener('abort', look)
        resolve(condition())
      }
      this.onChange = look
      signal.addEventListener('abort', look)
      look()
    })
  }

  private see({ id, registration }: RegisteredEndpoint): Seen {
    const seen = this.seen.get(id) ?? { endpoint: registration, attempts: 0, lastPickAtMs: null }
    seen.endpoint = registration
    this.seen.set(id, seen)
    return seen
  }

  private whyAway(id: EndpointId): string {
    const registered = this.registered.find((endpoint) => endpointId(endpoint) === id)
    if (!registered) return 'gone from the registry'
    if (registered.weight === 0) return 'drained'
    return inWords(this.connections.get(id)?.problem ?? null)
  }
}
