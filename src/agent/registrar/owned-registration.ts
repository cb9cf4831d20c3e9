import { setTimeout as delay } from 'node:timers/promises'
import type { EndpointRecord } from '../../domain/endpoint.js'
import { DiscoError, isLinkFailure } from '../../domain/errors.js'
import type { Registration } from '../../registry/registration/registration.js'
import type { RegistrationRequest } from '../../registry/registration/request.js'
import { toldInOrder } from '../../registry/registration/told-in-order.js'
import type { Registry } from '../../registry/registry.js'
import { type RegistrarEvents, reportsOf } from './events.js'
import { OwnWeights } from './own-weights.js'
import type { Happening } from './state.js'

/** What etcd did not answer is tried again this much later, jittered. */
const RETRY_MS = 1_000

/** What etcd denied waits longer: each try costs it a password check. */
const FIRST_DENIAL_WAIT_MS = 5_000
const MOST_DENIAL_WAIT_MS = 60_000

type Emit = <Name extends keyof RegistrarEvents>(name: Name, ...told: RegistrarEvents[Name]) => void

/** Takes a registration, gives it back, and takes it again, as a registrar wants it. */
export class Holder {
  readonly weights: OwnWeights
  private registration: Registration | null = null
  private claiming = new AbortController()

  /** @param onLost somebody else ended the registration: on purpose, or by taking over */
  constructor(
    private readonly registry: Registry,
    private request: RegistrationRequest,
    private readonly emit: Emit,
    private readonly onLost: (conflict: DiscoError | null) => void,
  ) {
    this.weights = new OwnWeights(registry)
  }

  get held(): Registration['held'] {
    return this.registration?.held ?? []
  }

  /** @param isPatient whether to try on while etcd is away; it always does once it had a registration */
  async claim({ isPatient }: { isPatient: boolean }): Promise<Happening> {
    this.claiming = new AbortController()
    const { signal } = this.claiming
    try {
      const registration = await this.acquire(isPatient || this.registration !== null, signal)
      this.registration = registration
      registration.ended.then(
        () => this.lost(registration, null),
        (error: unknown) => this.lost(registration, DiscoError.from(error)),
      )
      return { type: 'registered' }
    } catch (error) {
      return signal.aborted ? { type: 'unregistered' } : { type: 'refused', error: DiscoError.from(error) }
    }
  }

  giveUp(): void {
    this.claiming.abort()
  }

  /**
   * Takes the keys out of the registry: in order, or by ending their lease at once.
   *
   * @returns why etcd could not be told, or null
   */
  async release(how: 'close' | 'abandon'): Promise<DiscoError | null> {
    const { registration } = this
    if (!registration) return null
    const [first, ...rest] = registration.held.map(({ registered }): EndpointRecord => registered)
    // It comes back as it was last, and takes nothing from whoever took its place meanwhile.
    if (first) this.request = { ...this.request, registered: [first, ...rest], takeover: false }
    try {
      await registration[how]()
      return null
    } catch (error) {
      return DiscoError.from(error)
    }
  }

  /** Weight 0 because the server is unhealthy, or the weights from before; tries until it is done or unwanted. */
  async weigh(direction: 'down' | 'up', isWanted: () => boolean): Promise<void> {
    const { registration } = this
    while (registration && isWanted()) {
      try {
        return await this.weights[direction](registration.held)
      } catch (thrown) {
        const cause = DiscoError.from(thrown)
        this.emit('unweighed', { cause })
        if (!isLinkFailure(cause)) return
        await delay(RETRY_MS)
      }
    }
  }

  /** Weight 0, once and for all. @returns whether it is */
  async drain(): Promise<boolean> {
    try {
      await this.weights.zero(this.held)
      return true
    } catch (thrown) {
      this.emit('unweighed', { cause: DiscoError.from(thrown) })
      return false
    }
  }

  private async acquire(isPatient: boolean, signal: AbortSignal): Promise<Registration> {
    const reports = toldInOrder(reportsOf(this.emit))
    // A denial after a registration was held: a password or a certificate is being changed.
    const hasHeld = this.registration !== null
    let denialWaitMs = FIRST_DENIAL_WAIT_MS
    for (;;) {
      try {
        return await this.registry.register(this.request, reports, signal)
      } catch (thrown) {
        const error = DiscoError.from(thrown)
        const isDenied = error.code === 'ETCD_DENIED'
        const mayRetry = isDenied ? hasHeld : isPatient && isLinkFailure(error)
        if (signal.aborted || !mayRetry) throw error
        reports.onTrouble?.(error)
        await delay(isDenied ? denialWaitMs : RETRY_MS * (0.5 + Math.random()), undefined, { signal })
        if (isDenied) denialWaitMs = Math.min(denialWaitMs * 2, MOST_DENIAL_WAIT_MS)
      }
    }
  }

  /** What one registration came to after it was given back is no news of the next one. */
  private lost(registration: Registration, conflict: DiscoError | null): void {
    if (registration === this.registration) this.onLost(conflict)
  }
}
