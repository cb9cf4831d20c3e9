import { EventEmitter } from 'node:events'
import type { RegistrationEvents } from '../../src/registry/registration/events.js'
import type { Registration } from '../../src/registry/registration/registration.js'
import type { Registry } from '../../src/registry/registry.js'
import { until } from './disco.js'

/** Holds a registration and records its events, in order, as short strings. */
export class RegistrationLog {
  readonly reported: string[] = []
  /** The reasons of the outages, for a test that fails. */
  readonly causes: string[] = []
  /** The kind of end of the registration, or the message of its error; null until the end. */
  end: string | null = null
  private held: Registration | null = null
  private readonly events = new EventEmitter<RegistrationEvents>()
    .on('waiting', () => this.reported.push('waiting'))
    .on('registered', ({ again }) => this.reported.push(again ? 'registered again' : 'registered'))
    .on('changed', ({ registered }) => this.reported.push(`weight ${registered.weight}`))
    .on('reattached', () => this.reported.push('reattached'))
    .on('leaseLost', () => this.reported.push('lease lost'))
    .on('trouble', ({ code, message }) => {
      this.reported.push('trouble')
      this.causes.push(`${code}: ${message}`)
    })
    .on('recovered', () => this.reported.push('recovered'))

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

  async untilReported(what: string, times = 1): Promise<void> {
    await until(
      () => this.reported.filter((reported) => reported === what).length >= times,
      () => `${what}, got: ${this.reported.join(', ')}; outages: ${this.causes.join(', ')}; end: ${this.end}`,
    )
  }

  async close(): Promise<void> {
    await this.held?.close()
  }
}
