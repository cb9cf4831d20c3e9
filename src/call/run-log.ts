import type { Endpoint, EndpointId, Revision } from '../domain/endpoint.js'
import type { RegisteredEndpoint } from '../grpc/endpoint.js'
import type { ResolvedList } from '../grpc/live-list.js'
import type { Observer } from '../grpc/observer.js'
import { ShareLedger } from '../stats/share-ledger.js'

/** How an endpoint's connection stands. */
export interface Connection {
  readonly isReady: boolean
  readonly problem: string | null
}

/** Writes down what a channel does during a run: who could be picked, who was, and for which call. */
export class RunLog implements Observer {
  readonly ledger = new ShareLedger()
  /** Every endpoint that was ever in the list, as it last was. */
  readonly endpoints = new Map<EndpointId, Endpoint>()
  readonly connections = new Map<EndpointId, Connection>()
  list: ResolvedList | null = null
  private readonly endpointByCall = new Map<number, RegisteredEndpoint>()
  private onChange: () => void = () => undefined

  /** The revision of the list; 0 before there was one. */
  get revision(): Revision {
    return this.list?.revision ?? 0
  }

  get registered(): readonly Endpoint[] {
    return this.list?.registered ?? []
  }

  resolved(list: ResolvedList): void {
    this.list = list
    this.onChange()
  }

  connectivity(endpoint: RegisteredEndpoint, isReady: boolean, problem: string | null): void {
    this.connections.set(endpoint.id, { isReady, problem })
    this.endpoints.set(endpoint.id, endpoint.registration)
    this.onChange()
  }

  rotation(weights: ReadonlyMap<RegisteredEndpoint, number>): void {
    for (const { id, registration } of weights.keys()) this.endpoints.set(id, registration)
    this.ledger.rotate(new Map([...weights].map(([{ id }, weight]) => [id, weight])))
  }

  picked(endpoint: RegisteredEndpoint, callId: number): void {
    // A retry is another attempt of the same call: the first pick is the one that balancing made.
    if (!this.endpointByCall.has(callId)) this.ledger.pick(endpoint.id)
    this.endpointByCall.set(callId, endpoint)
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
}
