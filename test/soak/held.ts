import { EventEmitter } from 'node:events'
import type { RegistrationEvents } from '../../src/registry/registration/events.js'
import type { Registration } from '../../src/registry/registration/registration.js'
import type { Registry } from '../../src/registry/registry.js'

/** Many registrations of one process, with counts of their events. */
export class Held {
  readonly counts = { registered: 0, again: 0, lost: 0, troubles: 0, recoveries: 0 }
  readonly problems: string[] = []
  private readonly registrations: Registration[] = []
  private readonly lost = new Set<string>()

  static async start(registry: Registry, service: string, count: number): Promise<Held> {
    const held = new Held()
    await Promise.all(Array.from({ length: count }, (_, index) => held.hold(registry, service, index)))
    return held
  }

  get keys(): string[] {
    return this.registrations.map(({ key }) => key)
  }

  get areAllHeld(): boolean {
    return this.lost.size === 0
  }

  /** Keys whose lease was lost and that are not registered again yet. */
  get missing(): string[] {
    return [...this.lost]
  }

  async close(): Promise<void> {
    await Promise.all(this.registrations.map((registration) => registration.close()))
  }

  private async hold(registry: Registry, service: string, index: number): Promise<void> {
    const addr = `10.1.0.1:${1_000 + index}`
    const request = {
      registered: { service, version: '', addr, weight: 1, metadata: {} },
      ttlSeconds: 5 + (index % 10),
    }
    const { counts, lost } = this
    const events = new EventEmitter<RegistrationEvents>()
      .on('registered', ({ again }) => {
        lost.delete(addr)
        if (again) counts.again++
        else counts.registered++
      })
      .on('leaseLost', () => {
        lost.add(addr)
        counts.lost++
      })
      .on('trouble', () => counts.troubles++)
      .on('recovered', () => counts.recoveries++)
    const registration = await registry.register(request, { events })
    registration.ended.then(
      (end) => {
        if (end !== 'closed') this.problems.push(`${addr} ended: ${end}`)
      },
      (error: Error) => this.problems.push(`${addr} ended: ${error.message}`),
    )
    this.registrations.push(registration)
  }
}
