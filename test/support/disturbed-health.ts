import { status } from '@grpc/grpc-js'
import { Health, type HealthWatcher } from '../../src/dev/health.js'
import type { HealthCheckRequest, ServingStatus } from '../../src/grpc/health/protocol.js'

/** A health service that can delay its answers and break its watches. */
export class DisturbedHealth extends Health {
  /** The service in the last request. */
  lastQuestion: string | null = null
  /** Times at which watches started. */
  readonly watchedAtMs: number[] = []
  private held: HealthWatcher[] | null = null

  /** Sends no status to new watchers until a status is set. */
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
      watcher.emit('error', { code: status.UNAVAILABLE, details: 'broken on request' })
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
