import type { EndpointId } from '../domain/endpoint.js'
import { ownName } from '../grpc/balancer/rotation.js'
import { namesOf, type RegisteredEndpoint } from '../grpc/resolver/endpoint.js'
import type { CallKeys, Chooser, Policy } from '../policies/index.js'
import type { ConnectionStates } from './connection-states.js'

/**
 * The connections to wait for before the first call. `all`: every endpoint with a share, except refused ones, because no
 * policy follows its weights while connections come up. The keys of a single call: the endpoint that the policy chooses
 * by them, or the first READY endpoint if the policy does not use them.
 */
export type ConnectGoal = 'all' | CallKeys

/** Checks on each event whether a goal is reached: O(1), and O(n) after a new list. */
export class GoalWatch {
  private chooser: Chooser<RegisteredEndpoint> | null = null
  private listOfChooser: unknown = null

  constructor(
    private readonly goal: ConnectGoal,
    private readonly policy: Policy,
    private readonly connections: ConnectionStates,
    private readonly endpoints: () => readonly RegisteredEndpoint[],
  ) {}

  get isReached(): boolean {
    const { connections, goal } = this
    if (connections.wanted.size === 0) return true
    // If all are refused, the servers may be starting: attempts continue until the deadline.
    if (connections.ready === 0) return false
    // The choice among several registries depends on which of their endpoints are READY.
    if (goal === 'all' || this.choosesAcrossRegistries) return connections.unsettled === 0
    return !choosesBy(goal, this.policy) || this.isChosenSettled(goal)
  }

  private get choosesAcrossRegistries(): boolean {
    const [first] = this.connections.wanted.values()
    return first?.origin !== undefined && choosesBy(this.goal as CallKeys, this.policy)
  }

  /** Whether the endpoint that the policy chooses by the keys is READY. A refused endpoint is left out of the choice. */
  private isChosenSettled(keys: CallKeys): boolean {
    const chooser = this.chooserOfAll()
    for (;;) {
      const chosen = chooser.choose(keys)
      if (chosen === null) return true
      const connection = this.connections.of(chosen.id)
      if (connection.isReady) return true
      if (!this.connections.isSettled(connection)) return false
      chooser.leave(chosen)
    }
  }

  private chooserOfAll(): Chooser<RegisteredEndpoint> {
    if (this.chooser && this.listOfChooser === this.connections.wanted) return this.chooser
    const ranks = new Map<EndpointId, number>()
    const chooser = this.policy.create<RegisteredEndpoint>({
      random: () => 0,
      clientKey: ownName(),
      id: ({ id }) => id,
      names: namesOf,
      rank: ({ id }) => ranks.get(id) ?? 0,
      outstanding: () => 0,
    })
    for (const endpoint of this.endpoints()) {
      ranks.set(endpoint.id, ranks.size)
      if (endpoint.weight > 0) chooser.join(endpoint, endpoint.weight)
    }
    this.chooser = chooser
    this.listOfChooser = this.connections.wanted
    return chooser
  }
}

/** Whether the policy chooses the endpoint of a call by these keys. */
function choosesBy({ hashKey, pin }: CallKeys, { name, reads, config }: Policy): boolean {
  if (reads.includes('pin')) return pin !== null || 'to' in config
  return reads.includes('hashKey') && (hashKey !== null || 'key' in config || name === 'source_hash')
}
