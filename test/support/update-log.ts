import type { Change, Update } from '../../src/domain/discovery.js'
import { apply, EMPTY_SNAPSHOT, endpointsOf, type Snapshot } from '../../src/domain/snapshot.js'
import type { Registry } from '../../src/registry/registry.js'
import { until } from './disco.js'
import type { Happened } from './etcd-history.js'

/** Follows a service like a resolver, and records every update. */
export class UpdateLog implements AsyncDisposable {
  readonly updates: Update[] = []
  /** The error that the watch threw, which it should not; null if it threw none. */
  failure: unknown = null
  private snapshot: Snapshot = EMPTY_SNAPSHOT
  private readonly stop = new AbortController()
  private readonly ended: Promise<void>

  constructor(registry: Registry, service: string) {
    this.ended = this.follow(registry.watch({ service }, this.stop.signal))
  }

  /** Weights by key after the updates so far. */
  get view(): Map<string, number> {
    return new Map(endpointsOf(this.snapshot).map(({ key, weight }) => [key, weight]))
  }

  get revision(): number {
    return this.snapshot.revision
  }

  /** Number of updates of a type so far. */
  count(type: Update['type']): number {
    return this.updates.filter((update) => update.type === type).length
  }

  /** The types of the updates in order. Consecutive updates of one type are listed once. */
  get types(): string[] {
    const types = this.updates.map(({ type }) => type)
    return types.filter((type, at) => type !== types[at - 1])
  }

  /** The differences found by resyncs, key by key. */
  resynced(): Omit<Happened, 'revision'>[] {
    const changes = this.updates.flatMap((update) => (update.type === 'resync' ? update.changes : []))
    return changes
      .map((change) => ({ key: change.key, weight: weightOf(change) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  /** Every change from updates of the type changes, in order. */
  get changes(): Happened[] {
    return this.updates.flatMap((update) =>
      update.type === 'changes'
        ? update.changes.map((change) => ({
            revision: update.revision,
            key: change.key,
            weight: weightOf(change),
          }))
        : [],
    )
  }

  async has(what: string, condition: () => boolean): Promise<void> {
    await until(
      () => {
        if (this.failure !== null) throw this.failure
        return condition()
      },
      () => `${what}; the last updates: ${JSON.stringify(this.updates.slice(-3))}`,
    )
  }

  /** Waits until the log has reached a revision. */
  async reached(revision: number): Promise<void> {
    await this.has(`revision ${revision}`, () => this.revision >= revision)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort()
    await this.ended
  }

  private async follow(updates: AsyncIterable<Update>): Promise<void> {
    try {
      for await (const update of updates) {
        this.updates.push(update)
        this.snapshot = apply(this.snapshot, update)
      }
    } catch (thrown) {
      this.failure = thrown
    }
  }
}

function weightOf(change: Change): number | null {
  return change.type === 'put' ? (change.endpoints[0]?.weight ?? null) : null
}
