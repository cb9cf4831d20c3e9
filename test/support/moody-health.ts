import { status } from '@grpc/grpc-js'
import { Health, type HealthWatcher } from '../../src/dev/health.js'
import type { HealthCheckRequest, ServingStatus } from '../../src/grpc/health/protocol.js'

/** A health service that can be slow to answer, and break its watches. */
export class MoodyHealth extends Health {
  /** The service that was last asked about. */
  lastQuestion: string | null = null
  /** When each watch began. */
  readonly watchedAtMs: number[] = []
  private held: HealthWatcher[] | null = null

  /** From now on nobody who watches is told anything, until a status is set. */
  hold(): void {
    this.held = []
  }

  override set(status: ServingStatus): void {
    const held = this.held ?? []
    this.held = null
    super.set(status)
    for (const watcher of held) super.watch(watcher)
  }

  /** Ends every watch with an error. */
  breakWatches(): void {
    for (const watcher of this.watchers) {
      watcher.emit('error', { code: status.UNAVAILABLE, details: 'broken, as it was told to' })
    }
    this.watchers.clear()
  }

  protected override check(question: HealthCheckRequest): ServingStatus {
    this.lastQuestion = question.service
    return super.check(question)
  }

  protected override watch(watcher: HealthWatcher): void {
    this.lastQuestion = watcher.request.service
    this.watchedAtMs.push(performance.now())
    if (this.held) this.held.push(watcher)
    else super.watch(watcher)
  }
}
