import type { EndpointId } from '../../domain/endpoint.js'
import { changedEndpoints, type EndpointsById, type RegisteredEndpoint } from '../resolver/endpoint.js'
import type { Member } from './member.js'
import { OutstandingCalls } from './outstanding.js'
import type { Priorities } from './priorities.js'
import { StateCounts } from './state-counts.js'

/** A member that owns the connections to its endpoint. */
export interface ConnectedMember extends Member {
  /** Replaced when a new list changes the endpoint's weight or metadata. The connections stay. */
  endpoint: RegisteredEndpoint
  rank: number
  readonly outstanding: OutstandingCalls
  connect(): void
  close(): void
}

type Create<One> = (endpoint: RegisteredEndpoint, outstanding: OutstandingCalls) => One

/**
 * One member for each endpoint of the resolver's list. A new list keeps the members of the endpoints that it still
 * contains, with their connections and call counts. Drained endpoints are also connected, so that the first pick after
 * a weight change does not wait for a connection.
 */
export class Membership<One extends ConnectedMember> {
  readonly stateCounts = new StateCounts<One>()
  /** Whether a list is being applied. The aggregated state must be reported only afterwards. */
  isUpdating = false
  private readonly members = new Map<EndpointId, One>()
  /** The list that was last applied. */
  private list: EndpointsById = new Map()
  /** Call counts of endpoints that were removed with outstanding calls. Used if the endpoint is added again. */
  private readonly outstandingOfRemoved = new Map<EndpointId, OutstandingCalls>()

  /** @param priorities the rotations that the members belong to; null until `setPriorities` is called */
  constructor(private priorities: Priorities<One> | null) {}

  get size(): number {
    return this.members.size
  }

  get all(): Iterable<One> {
    return this.members.values()
  }

  /** Moves all members to other rotations. */
  setPriorities(priorities: Priorities<One>): void {
    for (const member of this.members.values()) priorities.place(member)
    this.priorities = priorities
  }

  /**
   * Applies a list. If it has the same endpoints in the same order as the previous list, the cost of updating members
   * depends only on the number of changed endpoints.
   *
   * @param endpoints must not be changed afterwards
   * @param create creates the member of a new endpoint. If the endpoint was removed before with outstanding calls,
   *   `outstanding` still counts these calls.
   */
  update(endpoints: EndpointsById, create: Create<One>): void {
    this.isUpdating = true
    for (const [id, outstanding] of this.outstandingOfRemoved)
      if (outstanding.count === 0) this.outstandingOfRemoved.delete(id)
    const changed = changedEndpoints(this.list, endpoints)
    this.list = endpoints
    if (changed) this.change(changed)
    else this.replace(endpoints, create)
    this.isUpdating = false
  }

  close(): void {
    this.list = new Map()
    for (const [id, member] of this.members) this.remove(id, member)
  }

  /** Call after a member's state or weight has changed. */
  place(member: One): void {
    this.priorities?.place(member)
    this.stateCounts.update(member)
  }

  private change(endpoints: readonly RegisteredEndpoint[]): void {
    for (const endpoint of endpoints) {
      const member = this.members.get(endpoint.id)
      if (member) this.keep(member, endpoint, member.rank)
    }
  }

  private replace(endpoints: EndpointsById, create: Create<One>): void {
    for (const [id, member] of this.members) if (!endpoints.has(id)) this.remove(id, member)
    let rank = 0
    for (const endpoint of endpoints.values()) {
      const known = this.members.get(endpoint.id)
      if (known) this.keep(known, endpoint, rank++)
      else this.add(endpoint, rank++, create)
    }
  }

  private keep(member: One, endpoint: RegisteredEndpoint, rank: number): void {
    member.rank = rank
    if (member.endpoint === endpoint) return
    const isRenamed = member.endpoint.registration.id !== endpoint.registration.id
    member.endpoint = endpoint
    if (isRenamed) this.priorities?.rename(member)
    this.place(member)
  }

  private add(endpoint: RegisteredEndpoint, rank: number, create: Create<One>): void {
    const outstanding = this.outstandingOfRemoved.get(endpoint.id) ?? new OutstandingCalls()
    this.outstandingOfRemoved.delete(endpoint.id)
    const member = create(endpoint, outstanding)
    member.rank = rank
    outstanding.onChange = () => this.priorities?.recount(member)
    this.stateCounts.update(member)
    this.members.set(endpoint.id, member)
    member.connect()
  }

  private remove(id: EndpointId, member: One): void {
    this.members.delete(id)
    this.priorities?.remove(member)
    this.stateCounts.remove(member)
    member.close()
    if (member.outstanding.count > 0) this.outstandingOfRemoved.set(id, member.outstanding)
  }
}
