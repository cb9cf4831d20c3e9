import type { Any } from '@bufbuild/protobuf/wkt'

/** The name that subscribes to all resources, as an empty list does in the first request. */
const WILDCARD = '*'

/** The fields of a request that concern its resource type. */
export interface SubscriptionRequest {
  readonly names: readonly string[]
  /** The nonce of the response that it accepts or rejects; empty for a first request. */
  readonly nonce: string
  /** Why the client rejected that response; null for an ACK. */
  readonly rejection: string | null
}

/** How a request was classified. */
export interface ClassifiedRequest {
  /** `stale`: it answers a response before the last one, and is ignored. `none`: it does not answer a response. */
  readonly answer: 'ack' | 'nack' | 'none' | 'stale'
  /** Names that the previous request did not have. */
  readonly added: readonly string[]
}

/**
 * Whether each response has all resources of a client (LDS, CDS: a missing resource was removed), or only those that
 * changed (RDS, EDS).
 */
export type Completeness = 'whole' | 'changes'

/**
 * The subscription of one stream to one resource type, in the "state of the world" variant of xDS. Pure state without
 * I/O: `takePending` returns the resources of the next response, but null until the client has answered the last one.
 * So a slow client receives fewer responses with newer resources, and no queue grows.
 */
export class Subscription {
  private names: ReadonlySet<string> = new Set()
  private isWildcard = false
  /** Whether any request had names. Until then an empty list means all resources; afterwards it means no resources. */
  private hasNamed = false
  private nonce = ''
  private waits = false
  /** Names whose current resource has not been sent. */
  private readonly pending = new Set<string>()
  private isWholePending = false

  constructor(private readonly completeness: Completeness) {}

  /** Number of names, without the wildcard. */
  get size(): number {
    return this.names.size
  }

  /** Whether the last response has not been answered. */
  get waitsForAnswer(): boolean {
    return this.waits
  }

  /** Applies a request. */
  take({ names, nonce, rejection }: SubscriptionRequest): ClassifiedRequest {
    if (nonce !== '' && nonce !== this.nonce) return { answer: 'stale', added: [] }
    const isAnswer = nonce !== '' && this.waits
    if (isAnswer) this.waits = false
    const added = this.subscribe(names)
    if (!isAnswer) return { answer: 'none', added }
    return { answer: rejection === null ? 'ack' : 'nack', added }
  }

  /** Call after these resources have changed. */
  changed(names: ReadonlySet<string>): void {
    for (const name of names) if (this.names.has(name)) this.pending.add(name)
  }

  /** Call after the set of all resources has changed, for subscribers to all of them. */
  changedNames(): void {
    if (this.isWildcard) this.isWholePending = true
  }

  /**
   * The resources of the next response; null if there is nothing to send, or the last one has not been answered.
   *
   * @param resourceOf returns null if the resource is not known yet
   * @param known returns the names for the wildcard; null if they are not known yet
   * @param maxBytes once the resources of a response of changes reach this size, the rest follow in the next
   */
  takePending(
    resourceOf: (name: string) => Any | null,
    known: () => Iterable<string> | null,
    maxBytes: number,
  ): Any[] | null {
    if (this.waits) return null
    if (this.completeness === 'whole') return this.takeWhole(resourceOf, known)
    const resources: Any[] = []
    let bytes = 0
    for (const name of this.pending) {
      const resource = resourceOf(name)
      if (!resource) continue
      this.pending.delete(name)
      resources.push(resource)
      bytes += resource.value.length
      if (bytes >= maxBytes) break
    }
    return resources.length === 0 ? null : resources
  }

  /** Call after a response was sent: it now waits for the client's answer. */
  sent(nonce: string): void {
    this.nonce = nonce
    this.waits = true
  }

  private takeWhole(
    resourceOf: (name: string) => Any | null,
    known: () => Iterable<string> | null,
  ): Any[] | null {
    if (!this.isWholePending) return null
    const all = this.isWildcard ? known() : []
    if (!all) return null
    this.isWholePending = false
    return [...new Set([...this.names, ...all])].flatMap((name) => resourceOf(name) ?? [])
  }

  private subscribe(names: readonly string[]): readonly string[] {
    const before = this.names
    const wasWildcard = this.isWildcard
    this.hasNamed ||= names.length > 0
    this.isWildcard = this.completeness === 'whole' && (names.includes(WILDCARD) || !this.hasNamed)
    this.names = new Set(names.filter((name) => name !== WILDCARD))
    const added = [...this.names].filter((name) => !before.has(name))
    if (this.completeness === 'whole') {
      if (added.length > 0 || (this.isWildcard && !wasWildcard)) this.isWholePending = true
      return added
    }
    for (const name of this.pending) if (!this.names.has(name)) this.pending.delete(name)
    for (const name of added) this.pending.add(name)
    return added
  }
}
