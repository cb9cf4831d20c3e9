import type { Update } from '../../src/domain/discovery.js'
import { apply, EMPTY_SNAPSHOT, endpointsOf } from '../../src/domain/snapshot.js'
import type { Registry } from '../../src/registry/registry.js'

/** A watch that keeps only its view, and counts its updates. */
export class Watched {
  readonly counts: Record<Update['type'], number> = { reset: 0, changes: 0, resync: 0, stale: 0 }
  readonly problems: string[] = []
  private snapshot = EMPTY_SNAPSHOT
  private readonly stop = new AbortController()
  private readonly ended: Promise<void>

  constructor(registry: Registry, service: string) {
    this.ended = this.follow(registry.watch({ service }, this.stop.signal)).catch((error: Error) => {
      this.problems.push(`the watch ended: ${error.message}`)
    })
  }

  get revision(): number {
    return this.snapshot.revision
  }

  /** The keys whose weights differ in another view. */
  differencesFrom(view: ReadonlyMap<string, number>): string[] {
    const mine = new Map(endpointsOf(this.snapshot).map(({ key, weight }) => [key, weight]))
    return [...new Set([...mine.keys(), ...view.keys()])].filter((key) => mine.get(key) !== view.get(key))
  }

  async close(): Promise<void> {
    this.stop.abort()
    await this.ended
  }

  private async follow(updates: AsyncIterable<Update>): Promise<void> {
    for await (const update of updates) {
      this.counts[update.type]++
      if (update.type === 'changes' && update.revision <= this.revision) {
        this.problems.push(`revision ${update.revision} was delivered after ${this.revision}`)
      }
      this.snapshot = apply(this.snapshot, update)
    }
  }
}
