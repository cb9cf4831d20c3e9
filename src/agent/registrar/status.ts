import type { EventEmitter } from 'node:events'
import type { DiscoError } from '../../domain/errors.js'
import type { RegistrarEvents } from './events.js'

/** Why an endpoint is not registered. */
interface Absence {
  readonly reason: string
  /** Whether the key may still exist, under a lease that etcd refuses to renew. */
  readonly isUnrenewed: boolean
}

/** State of a registration in etcd, as of etcd's last answer. */
export class RegistrationStatus {
  /** Absences by address, not by key: in some layouts the key of an endpoint contains its lease. */
  private readonly absent = new Map<string, Absence>()
  private outage: { readonly since: Date; readonly cause: DiscoError } | null = null

  constructor(events: EventEmitter<RegistrarEvents>) {
    let hasLease = false
    events
      .on('registered', ({ registered }) => {
        hasLease = true
        this.absent.delete(registered.addr)
      })
      .on('reattached', ({ registered }) => this.absent.delete(registered.addr))
      .on('leaseLost', ({ key, registered }) => {
        hasLease = false
        this.absent.set(registered.addr, {
          reason: `${key} is gone: etcd has ended its lease`,
          isUnrenewed: false,
        })
      })
      .on('deleted', ({ key, registered }) => {
        this.absent.set(registered.addr, { reason: `${key} was deleted from outside`, isUnrenewed: false })
      })
      .on('refused', ({ key, registered, cause }) => {
        const isUnrenewed = hasLease && !this.absent.has(registered.addr)
        this.absent.set(registered.addr, {
          reason: `${key} is not registered: ${cause.message}`,
          isUnrenewed,
        })
      })
      .on('dropped', ({ registered }) => this.absent.delete(registered.addr))
      .on('deregistered', () => this.absent.clear())
      .on('trouble', (cause) => {
        this.outage = { since: new Date(), cause }
      })
      .on('recovered', ({ leaseHolds }) => {
        this.outage = null
        if (!leaseHolds) return
        for (const [addr, { isUnrenewed }] of this.absent) if (isUnrenewed) this.absent.delete(addr)
      })
  }

  /** Whether the key of an address existed at etcd's last answer about it. */
  exists(addr: string): boolean {
    return !this.absent.has(addr)
  }

  /** Why a key is missing; null if all keys exist. */
  get problem(): string | null {
    const [first] = this.absent.values()
    return first?.reason ?? null
  }

  /** Since when and why etcd does not answer, or denies requests; null while it answers. */
  get etcd(): string | null {
    if (this.outage === null) return null
    const { since, cause } = this.outage
    const how = cause.code === 'ETCD_DENIED' ? 'denied' : 'unreachable'
    return `${how} since ${since.toISOString()}: ${cause.message}`
  }
}
