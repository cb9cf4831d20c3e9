import { setTimeout as delay } from 'node:timers/promises'
import { DiscoError, isLinkFailure } from '../../domain/errors.js'
import type { WeightChange } from '../../domain/weight.js'
import type { RegistrationRequest } from '../../registry/registration/acquire.js'
import type { EventSink } from '../../registry/registration/events.js'
import type { Registration } from '../../registry/registration/registration.js'
import type { Registry } from '../../registry/registry.js'
import type { WeightChanged, WeightOptions } from '../../registry/weight.js'
import type { RegistrarEvents } from './events.js'
import type { Event } from './state.js'

/** Pause before the retry of a weight change that etcd did not answer. */
const RETRY_MS = 1_000

/** The keys, with the last record seen under each. */
type Held = Registration['held']

/** The registration of a registrar, which may be removed and made again, and the weights of its keys. */
export class OwnedRegistration {
  readonly weights: OwnWeights
  private registration: Registration | null = null
  private claiming = new AbortController()

  /** @param onLost called when another client ended the registration: a deletion on purpose, or a takeover (CONFLICT) */
  constructor(
    private readonly registry: Registry,
    private request: RegistrationRequest,
    private readonly events: EventSink<RegistrarEvents>,
    private readonly onLost: (conflict: DiscoError | null) => void,
  ) {
    this.weights = new OwnWeights(registry)
  }

  get held(): Held {
    return this.registration?.held ?? []
  }

  /**
   * Registers. Never rejects.
   *
   * @param isPatient whether to retry the first registration while etcd does not answer. A later registration is always
   *   retried, even if etcd denies it: the credentials may be changed at that moment.
   */
  async claim({ isPatient }: { isPatient: boolean }): Promise<Event> {
    this.claiming = new AbortController()
    const { signal } = this.claiming
    const retry = this.registration ? 'outages and denials' : isPatient ? 'outages' : 'none'
    try {
      const registration = await this.registry.register(
        { ...this.request, retry },
        { events: this.events, signal },
      )
      this.registration = registration
      registration.ended.then(
        () => this.lost(registration, null),
        (error: unknown) => this.lost(registration, DiscoError.from(error)),
      )
      return { type: 'registered' }
    } catch (error) {
      return signal.aborted
        ? { type: 'unregistered' }
        : { type: 'claimFailed', error: DiscoError.from(error) }
    }
  }

  /** Aborts a pending `claim`. */
  giveUp(): void {
    this.claiming.abort()
  }

  /**
   * Removes the keys from the registry: `close` deletes them and then revokes their lease; `abandon` revokes the lease at
   * once.
   *
   * @returns why the keys may remain until their lease lapses, or null
   */
  async release(how: 'close' | 'abandon'): Promise<DiscoError | null> {
    const { registration } = this
    if (!registration) return null
    const [first, ...rest] = registration.held.map(({ registered }) => registered)
    // The next `claim` registers the last record, and does not take the key over from a registrar that holds it by then.
    if (first) this.request = { ...this.request, registered: [first, ...rest], takeover: false }
    try {
      await registration[how]()
      return null
    } catch (error) {
      return DiscoError.from(error)
    }
  }

  /**
   * Sets weight 0 while the server is unhealthy, or restores the weights; retries until it is done or no longer
   * wanted.
   */
  async weigh(direction: 'down' | 'up', isWanted: () => boolean): Promise<void> {
    const { registration } = this
    while (registration && isWanted()) {
      try {
        return await this.weights[direction](registration.held)
      } catch (thrown) {
        const cause = DiscoError.from(thrown)
        this.events.emit('weightFailed', { cause })
        if (!isLinkFailure(cause)) return
        await delay(RETRY_MS)
      }
    }
  }

  /** Sets weight 0, not to be restored. @returns whether etcd has accepted it */
  async drain(): Promise<boolean> {
    try {
      await this.weights.zero(this.held)
      return true
    } catch (thrown) {
      this.events.emit('weightFailed', { cause: DiscoError.from(thrown) })
      return false
    }
  }

  /** Ignores the end of an earlier registration. */
  private lost(registration: Registration, conflict: DiscoError | null): void {
    if (registration === this.registration) this.onLost(conflict)
  }
}

/** The weights of our own keys, changed by the same transaction as from any other client, one at a time. */
export class OwnWeights {
  private last: Promise<unknown> = Promise.resolve()
  /** Weights from before `down`, by address; null after `up`. */
  private before: Map<string, number> | null = null

  constructor(private readonly registry: Registry) {}

  /** Changes run in the order of the calls. @throws DiscoError of `Registry.setWeight` */
  change(held: Held, change: WeightChange, options: WeightOptions): Promise<WeightChanged> {
    const service = held[0]?.registered.service ?? ''
    const selection = { service, addr: null, keys: held.map(({ key }) => key) }
    const changed = this.last.then(() => this.registry.setWeight(selection, change, options))
    this.last = changed.catch(() => undefined)
    return changed
  }

  /** Sets weight 0, even if no endpoint of the service then has a weight: this server must get no traffic. */
  async zero(held: Held): Promise<WeightChanged['changes']> {
    if (held.length === 0) return []
    return (await this.change(held, { kind: 'set', weight: 0 }, { force: true })).changes
  }

  /** Sets weight 0, until `up`. Can be repeated after an error. */
  async down(held: Held): Promise<void> {
    const before = this.before ?? new Map(held.map(({ registered }) => [registered.addr, registered.weight]))
    this.before = before
    // The weight that the transaction replaced is newer than the one last seen.
    for (const { endpoint, from } of await this.zero(held))
      if (from !== null && from > 0) before.set(endpoint.addr, from)
  }

  /**
   * Restores the weights from before `down`, unless another client has set one since. Can be repeated after an error.
   */
  async up(held: Held): Promise<void> {
    for (const one of held) {
      const weight = this.before?.get(one.registered.addr) ?? 0
      if (weight > 0) await this.change([one], { kind: 'restore', weight }, { force: true })
    }
    this.before = null
  }
}
