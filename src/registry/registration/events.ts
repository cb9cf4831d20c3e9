import type { EndpointRecord, LeaseId, Revision } from '../../domain/endpoint.js'
import type { DiscoError } from '../../domain/errors.js'
import type { EventSink, KeepAliveEvents } from '../../etcd/keep-alive.js'
import type { GrantedLease } from '../../etcd/lease.js'

export type { EventSink, GrantedLease, KeepAliveEvents }

/** Events of a registration, by name, each with its payload; the registrar adds its own to them. */
export interface RegistrationEvents extends KeepAliveEvents {
  /** The key has another lease, whose owner may be dead. It is taken once that lease has expired. */
  waiting: [found: { key: string; lease: LeaseId; ttlSeconds: number }]
  /** The key has our lease: for the first time, or again after it was gone. */
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
  /** A plain put had detached the key from its lease; it is attached again. */
  reattached: [at: { key: string; registered: EndpointRecord; revision: Revision }]
  /** etcd has ended the lease, and deleted the key with it. */
  leaseLost: [lost: { key: string; registered: EndpointRecord; lease: LeaseId }]
  /** The key was deleted while its lease lived, and is put back (`onDelete: 'reregister'`). */
  deleted: [deleted: { key: string; registered: EndpointRecord }]
  /** The key is gone, and etcd refuses to put it back. Once for each reason. */
  refused: [refused: { key: string; registered: EndpointRecord; cause: DiscoError }]
  /** One of several keys is no longer held: deleted on purpose, or taken over (CONFLICT). The others are. */
  dropped: [dropped: { key: string; registered: EndpointRecord; why: 'deregistered' | DiscoError }]
}

type RegistrationEvent = {
  [Name in keyof RegistrationEvents]: { name: Name; event: RegistrationEvents[Name] }
}[keyof RegistrationEvents]

/**
 * Passes events on in a consistent order: `recovered` comes before any other event that an answer of etcd
 * caused. Keep-alives and the watch of the key notice the end of an outage independently, either of them first.
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

  /** A denial after an outage is new: it needs an operator. The reverse is not. */
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
 * Whether etcd answered with a refusal; not for a denial, which is reported as trouble, like a cluster without a
 * leader.
 */
function isAnswer({ code, reason }: DiscoError): boolean {
  return code === 'ETCD_UNREACHABLE' && reason !== 'no-leader'
}
