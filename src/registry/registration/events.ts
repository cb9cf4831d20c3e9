import type { EndpointRecord, LeaseId, Revision } from '../../domain/endpoint.js'
import type { DiscoError } from '../../domain/errors.js'
import type { EventSink, KeepAliveEvents } from '../../etcd/keep-alive.js'
import type { GrantedLease } from '../../etcd/lease.js'

export type { EventSink, GrantedLease, KeepAliveEvents }

/** The events of a registration, by name, with their payload. A registrar has further events. */
export interface RegistrationEvents extends KeepAliveEvents {
  /** The key is under another lease, whose owner may be dead. The registration waits until that lease has expired. */
  waiting: [found: { key: string; lease: LeaseId; ttlSeconds: number }]
  /** The key is under our lease: for the first time, or again after it was missing. */
  registered: [
    held: {
      key: string
      registered: EndpointRecord
      lease: GrantedLease
      revision: Revision
      again: boolean
    },
  ]
  /** Another client wrote the key under our lease; `registered` is the new record. */
  changed: [now: { key: string; registered: EndpointRecord; before: EndpointRecord; revision: Revision }]
  /**
   * The key was not attached to our lease, and was attached again: another client had put it without a lease, or it was
   * still under our former lease.
   */
  reattached: [at: { key: string; registered: EndpointRecord; revision: Revision }]
  /** etcd has ended the lease, and deleted the key with it. */
  leaseLost: [lost: { key: string; registered: EndpointRecord; lease: LeaseId }]
  /** The key was deleted while its lease lived, and is put back (`onDelete: 'reregister'`). */
  deleted: [deleted: { key: string; registered: EndpointRecord }]
  /** The key is gone, and etcd refuses to put it back. Emitted once for each reason. */
  refused: [refused: { key: string; registered: EndpointRecord; cause: DiscoError }]
  /** One of several keys is no longer held: deleted on purpose, or taken over (CONFLICT). The others are still held. */
  dropped: [dropped: { key: string; registered: EndpointRecord; why: 'deregistered' | DiscoError }]
}

type RegistrationEvent = {
  [Name in keyof RegistrationEvents]: { name: Name; event: RegistrationEvents[Name] }
}[keyof RegistrationEvents]

/**
 * Passes events on in a consistent order: `recovered` precedes any other event that an answer of etcd causes. This
 * needs a rule, because the keep-alives and the watch of the key notice the end of an outage independently.
 */
export class OrderedEvents implements EventSink<RegistrationEvents> {
  private trouble: 'unreachable' | 'denied' | null = null

  constructor(private readonly sink: EventSink<RegistrationEvents>) {}

  emit<Name extends keyof RegistrationEvents>(name: Name, ...event: RegistrationEvents[Name]): void {
    if (this.isNew({ name, event } as RegistrationEvent)) this.sink.emit(name, ...event)
  }

  private isNew({ name, event }: RegistrationEvent): boolean {
    switch (name) {
      case 'trouble':
        return this.isNewTrouble(event[0])
      case 'recovered':
        this.recover(event[0].leaseHolds)
        return false
      case 'waiting':
      case 'leaseLost':
      case 'registered':
        this.recover(false)
        return true
      case 'refused':
        if (isAnswer(event[0].cause)) this.recover(false)
        return true
      default:
        return true
    }
  }

  /** A denial after an outage is reported, since it needs an operator; an outage after a denial is not reported. */
  private isNewTrouble({ code }: DiscoError): boolean {
    const trouble = code === 'ETCD_DENIED' ? 'denied' : 'unreachable'
    if (this.trouble === 'denied' || this.trouble === trouble) return false
    this.trouble = trouble
    return true
  }

  private recover(leaseHolds: boolean): void {
    if (this.trouble === null) return
    this.trouble = null
    this.sink.emit('recovered', { leaseHolds })
  }
}

/**
 * Whether an error shows that etcd is reachable again, but refuses the write. A denial, or a cluster without a leader,
 * is reported as trouble instead.
 */
function isAnswer({ code, reason }: DiscoError): boolean {
  return code === 'ETCD_UNREACHABLE' && reason !== 'no-leader'
}
