import { EventEmitter } from 'node:events'
import type { RegistrationEvents } from '../../src/registry/registration/events.js'
import type { Registration } from '../../src/registry/registration/registration.js'
import type { Registry } from '../../src/registry/registry.js'
import { until } from './disco.js'

/** Holds a registration and records its events, in order, as short strings. */
export class RegistrationLog {
  readonly told: string[] = []
  /** The kind of end of the registration, or the message of its error; null until the end. */
  end: string | null = null
  private held: Registration | null = null
  private readonly events = new EventEmitter<RegistrationEvents>()
    .on('waiting', () => this.told.push('waiting'))
    .on('registered', ({ again }) => this.told.push(again ? 'registered again' : 'registered'))
    .on('changed', ({ registered }) => this.told.push(`weight ${registered.weight}`))
    .on('reattached', () => this.told.push('reattached'))
    .on('leaseLost', () => this.told.push('lease lost'))
    .on('trouble', () => this.told.push('trouble'))
    .on('recovered', () => this.told.push('recovered'))

  static async hold(
    registry: Registry,
    { service, addr, ttlSeconds }: { service: string; addr: string; ttlSeconds: number },
  ): Promise<RegistrationLog> {
    const log = new RegistrationLog()
    const registered = { service, version: '', addr, weight: 1, metadata: {} }
    const request = { registered, ttlSeconds, takeover: false }
    log.held = await registry.register(request, { events: log.events })
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
}
