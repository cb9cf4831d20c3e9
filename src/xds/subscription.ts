import type { Any } from '@bufbuild/protobuf/wkt'

/** The name that subscribes to all resources, as an empty list does in the first request. */
const WILDCARD = '*'

/** A request as far as one type of resources is concerned. */
export interface SubscriptionRequest {
  readonly names: readonly string[]
  /** The response that it answers; empty for none. */
  readonly nonce: string
  /** Why that response was rejected; null for an accepted one. */
  readonly rejection: string | null
}

/** What a request was. */
export interface Taken {
  /** `stale`: about a response before the last one; what it says is void. `none`: it answers no response. */
  readonly answer: 'ack' | 'nack' | 'none' | 'stale'
  /** Names that it asks for and that the one before did not. */
  readonly added: readonly string[]
}

/**
 * Whether each response has all resources of a client (LDS, CDS: a missing one was removed), or those that changed.
 */
export type Completeness = 'whole' | 'changes'

/**
 * The subscription of one stream to one type of resources, by the protocol's variant "state of the world". It is a
 * state, without any I/O: a response is sent where `takePending` has one, and no other before the client has answered it.
 * So each client is sent changes as fast as it takes them, and what is kept for it does not grow.
 */
export class Subscription {
  private names: ReadonlySet<string> = new Set()
  private isWildcard = false
  /** Whether names were ever given: then an empty list means none. */
  private hasNamed = false
  private nonce = ''
  private waits = false
  /** Names of which the last state was not sent. */
  private readonly pending = new Set<string>()
  private isWholePending = false

  constructor(private readonly completeness: Completeness) {}

  /** How many names it has, besides the wildcard. */
  get size(): number {
    return this.names.size
  }

  /** Whether a response is not answered yet. */
  get waitsForAnswer(): boolean {
    return this.waits
  }

  take({ names, nonce, rejection }: SubscriptionRequest): Taken {
    if (nonce !== '' && nonce !== this.nonce) return { answer: 'stale', added: [] }
    const isAnswer = nonce !== '' && this.waits
    if (isAnswer) this.waits = false
    const added = this.subscribe(names)
    if (!isAnswer) return { answer: 'none', added }
    return { answer: rejection === null ? 'ack' : 'nack', added }
  }

  /** These resources are others now. */
  changed(names: ReadonlySet<string>): void {
    for (const name of names) if (this.names.has(name)) this.pending.add(name)
  }

  /** There are other resources now, for subscribers to all of them. */
  changedSet(): void {
    if (this.isWildcard) this.isWholePending = true
  }

  /**
   * The resources of the next response; null where there is nothing to send, or the last one has not been answered.
   *
   * @param resourceOf null where the resource is not known yet
   * @param known names for the wildcard; null where they are not known yet
   * @param mostBytes a response ends with the resource that reaches them, and the rest follows: only for changes
   */
  takePending(
    resourceOf: (name: string) => Any | null,
    known: () => Iterable<string> | null,
    mostBytes: number,
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
      if (bytes >= mostBytes) break
    }
    return resources.length === 0 ? null : resources
  }

  /** The response was sent, and waits for its answer. */
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
