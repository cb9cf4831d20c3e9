import type { WeightChange } from '../../domain/weight.js'
import type { Registration } from '../../registry/registration/registration.js'
import type { Registry } from '../../registry/registry.js'
import type { WeightChanged } from '../../registry/weight.js'

type Held = Registration['held']

/** The weights of our own keys, changed by the same transaction as anybody else's, and in order. */
export class OwnWeights {
  private last: Promise<unknown> = Promise.resolve()
  /** By address, from `down` to `up`. */
  private before: Map<string, number> | null = null

  constructor(private readonly registry: Registry) {}

  /** One change after the other, in the order in which they were asked for. */
  change(held: Held, change: WeightChange, options: { force: boolean }): Promise<WeightChanged> {
    const service = held[0]?.registered.service ?? ''
    const selection = { service, addr: null, keys: held.map(({ key }) => key) }
    const changed = this.last.then(() => this.registry.setWeight(selection, change, options))
    this.last = changed.catch(() => undefined)
    return changed
  }

  /** Weight 0, whatever that means to the others: this server should get nothing. */
  async zero(held: Held): Promise<WeightChanged['changes']> {
    if (held.length === 0) return []
    return (await this.change(held, { kind: 'set', weight: 0 }, { force: true })).changes
  }

  /** Weight 0, until `up`. Can be repeated after an error of the link. */
  async down(held: Held): Promise<void> {
    const before = this.before ?? new Map(held.map(({ registered }) => [registered.addr, registered.weight]))
    this.before = before
    // The transaction knows what stood there; what was heard last may be older.
    for (const { endpoint, from } of await this.zero(held))
      if (from !== null && from > 0) before.set(endpoint.addr, from)
  }

  /** The weights from before `down`, where nobody has given another one since. Can be repeated likewise. */
  async up(held: Held): Promise<void> {
    for (const one of held) {
      const weight = this.before?.get(one.registered.addr) ?? 0
      if (weight > 0) await this.change([one], { kind: 'restore', weight }, { force: true })
    }
    this.before = null
  }
}
