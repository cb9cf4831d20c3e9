import type { RegistrationReports } from '../../src/registry/registration/events.js'
import type { Registration } from '../../src/registry/registration/registration.js'
import type { Registry } from '../../src/registry/registry.js'
import { until } from './disco.js'

/** Holds a registration and keeps what it reports, in order, as short words. */
export class RegistrationLog implements RegistrationReports {
  readonly told: string[] = []
  /** How the registration ended: a word, or the error's message. */
  end: string | null = null
  private held: Registration | null = null

  static async hold(
    registry: Registry,
    { service, addr, ttlSeconds }: { service: string; addr: string; ttlSeconds: number },
  ): Promise<RegistrationLog> {
    const log = new RegistrationLog()
    const registered = { service, version: '', addr, weight: 1, metadata: {} }
    const request = { registered, ttlSeconds, takeover: false }
    log.held = await registry.register(request, log, new AbortController().signal)
    log.held.ended.then(
      (end) => {
        log.end = end
      },
      (error: Error) => {
        log.end = error.message
      },
    )
    return log
  }

  get key(): string {
    return this.held?.key ?? ''
  }

  async tells(what: string, times = 1): Promise<void> {
    await until(
      () => this.told.filter((told) => told === what).length >= times,
      () => `${what}, got: ${this.told.join(', ')}; end: ${this.end}`,
    )
  }

  async close(): Promise<void> {
    await this.held?.close()
  }

  onWaiting(): void {
    this.told.push('waiting')
  }

  onRegistered({ again }: { again: boolean }): void {
    this.told.push(again ? 'registered again' : 'registered')
  }

  onChanged({ registered }: { registered: { weight: number } }): void {
    this.told.push(`weight ${registered.weight}`)
  }

  onReattached(): void {
    this.told.push('reattached')
  }

  onLeaseLost(): void {
    this.told.push('lease lost')
  }

  onTrouble(): void {
    this.told.push('trouble')
  }

  onRecovered(): void {
    this.told.push('recovered')
  }
}
