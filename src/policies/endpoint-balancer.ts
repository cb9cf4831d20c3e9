import type { Update } from '../domain/discovery.js'
import { type Endpoint, type EndpointId, endpointId } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { LiveSnapshot } from '../domain/live-snapshot.js'
import type { Rng } from '../domain/rng.js'
import { effectiveWeight, weightsAreUnset } from '../domain/shares.js'
import { endpointsOf } from '../domain/snapshot.js'
import { type CallKeys, type Environment, NO_KEYS, type Policy } from './policy.js'
import { Rotation, type RotationMember } from './rotation.js'

/** Settings of an {@link EndpointBalancer}. */
export interface EndpointBalancerSettings<Connection> {
  /** The LB policy, such as `findPolicy('least_request').configure({})`. */
  readonly policy: Policy
  /** Random numbers for policies that draw: `Math.random`, or `seeded` in tests. */
  readonly random: Rng
  /** The name of this client, such as its host name: the key of `source_hash`. */
  readonly clientKey: string
  /** Whether calls may go to an endpoint, for example by its version. Default: all endpoints of the service. */
  readonly select?: (endpoint: Endpoint) => boolean
  /**
   * Creates the connection to an endpoint that has joined the list. Calls go to the endpoint after `setReady(true)`,
   * until `setReady(false)`. If `connect` throws, the endpoint gets no calls, and the next update calls `connect`
   * again.
   */
  connect(endpoint: Endpoint, setReady: (isReady: boolean) => void): Connection
  /** Called when the endpoint has left the list and its last call has been released. */
  disconnect(connection: Connection): void
}

/** An endpoint that was picked for a call. */
export interface PickedEndpoint<Connection> {
  /** The endpoint as it is registered now. */
  readonly endpoint: Endpoint
  /** The result of `connect` for this endpoint. */
  readonly connection: Connection
  /** Call it when the call has ended: `least_request` counts the call until then. Idempotent. */
  release(): void
}

class Member<Connection> implements RotationMember<WeightedEndpoint> {
  isReady = false
  outstanding = 0
  /** Null until `connect` has returned; an object, because the connection itself may be null. */
  made: { readonly connection: Connection } | null = null
  hasLeft = false

  constructor(
    public endpoint: WeightedEndpoint,
    public rank: number,
  ) {}
}

/** A registration with its effective weight. Immutable: replaced when either changes. */
interface WeightedEndpoint {
  readonly registration: Endpoint
  readonly weight: number
}

/**
 * Balances the calls of a client without grpc-js, such as a Connect client. It applies the updates of a service
 * (`Registry.watch`), and picks by an LB policy among the endpoints that are ready and not drained, as a channel does.
 * The caller makes and owns the connections. When the weight or metadata of an endpoint change, its connection and its
 * state in the policy are kept. One balancer serves one registry: for several registries, create a balancer for each.
 *
 * @example
 * ```ts
 * import { hostname } from 'node:os'
 * import { Registry } from 'disco-registry'
 * import { EndpointBalancer, findPolicy } from 'disco-registry/policies'
 *
 * const balancer = new EndpointBalancer<string>({
 *   policy: findPolicy('least_request').configure({}),
 *   random: Math.random,
 *   clientKey: hostname(),
 *   connect({ addr }, setReady) {
 *     queueMicrotask(() => setReady(true))
 *     return `http://${addr}`
 *   },
 *   disconnect: () => undefined,
 * })
 * const registry = await Registry.open()
 * for await (const update of registry.watch({ service: 'hello' })) {
 *   balancer.apply(update)
 *   break
 * }
 * const picked = balancer.pick()
 * console.log(picked?.connection)
 * picked?.release()
 * balancer.close()
 * registry.close()
 * ```
 */
export class EndpointBalancer<Connection> {
  private readonly snapshot = new LiveSnapshot()
  private readonly members = new Map<EndpointId, Member<Connection>>()
  private readonly rotation: Rotation<WeightedEndpoint, Member<Connection>>

  /** Creates a balancer without endpoints. The first list adds them. */
  constructor(private readonly settings: EndpointBalancerSettings<Connection>) {
    this.rotation = new Rotation(settings.policy, environmentOf(settings))
  }

  /** Whether a list of endpoints has been applied. The list may be empty. */
  get hasList(): boolean {
    return !this.snapshot.hasNoList
  }

  /** The number of endpoints that can be picked now. */
  get size(): number {
    return this.rotation.size
  }

  /**
   * Applies an update of the service's watch. The update `stale` (the registry is unreachable) changes nothing: the
   * last list stays in use. An error of `connect` or `disconnect` is thrown after the rest of the update has been
   * applied.
   *
   * @throws DiscoError USAGE for an update from `combineRegistries`
   */
  apply(update: Update): void {
    if (update.registry !== undefined) throw severalRegistries(update.registry)
    if (update.type === 'stale') return
    this.snapshot.apply(update)
    const service = endpointsOf(this.snapshot)
    const unset = weightsAreUnset(service)
    const { select = () => true } = this.settings
    const selected = new Map<EndpointId, WeightedEndpoint>()
    for (const registration of service) {
      if (registration.problem !== null || !select(registration)) continue
      selected.set(endpointId(registration), { registration, weight: effectiveWeight(registration, unset) })
    }
    const left = [...this.members].filter(([id]) => !selected.has(id))
    this.changeAll([
      ...left.map(
        ([id, member]) =>
          () =>
            this.remove(id, member),
      ),
      ...[...selected].map(
        ([id, endpoint], rank) =>
          () =>
            this.put(id, endpoint, rank),
      ),
    ])
  }

  /**
   * Picks an endpoint for a call; release it after the call. Null if no endpoint can be picked, or if the policy
   * `pinned` finds no endpoint for the keys and has no fallback.
   */
  pick(keys: CallKeys = NO_KEYS): PickedEndpoint<Connection> | null {
    const member = this.rotation.chooser.choose(keys)
    if (!member?.made) return null
    this.count(member, 1)
    let isRunning = true
    const release = () => {
      if (!isRunning) return
      isRunning = false
      this.count(member, -1)
    }
    return { endpoint: member.endpoint.registration, connection: member.made.connection, release }
  }

  /** Removes all endpoints. A connection with outstanding calls is disconnected when the last of them is released. */
  close(): void {
    this.changeAll(
      [...this.members].map(
        ([id, member]) =>
          () =>
            this.remove(id, member),
      ),
    )
  }

  /** Makes all changes, then throws the first error: an error of one endpoint must not prevent changes of others. */
  private changeAll(changes: readonly (() => void)[]): void {
    const errors: unknown[] = []
    for (const change of changes) {
      try {
        change()
      } catch (error) {
        errors.push(error)
      }
    }
    this.rotation.takeChanges()
    if (errors.length > 0) throw errors[0]
  }

  private put(id: EndpointId, endpoint: WeightedEndpoint, rank: number): void {
    const known = this.members.get(id)
    if (known) {
      const isRenamed = known.endpoint.registration.id !== endpoint.registration.id
      known.endpoint = endpoint
      known.rank = rank
      if (isRenamed) this.rotation.chooser.rename?.(known)
      this.rotation.place(known)
      return
    }
    const member = new Member<Connection>(endpoint, rank)
    this.members.set(id, member)
    const setReady = (isReady: boolean) => {
      member.isReady = isReady
      if (member.hasLeft) return
      this.rotation.place(member)
      this.rotation.takeChanges()
    }
    try {
      member.made = { connection: this.settings.connect(endpoint.registration, setReady) }
    } catch (error) {
      this.remove(id, member)
      throw error
    }
  }

  private remove(id: EndpointId, member: Member<Connection>): void {
    this.members.delete(id)
    this.rotation.remove(member)
    member.hasLeft = true
    this.disconnectUnused(member)
  }

  private count(member: Member<Connection>, calls: 1 | -1): void {
    member.outstanding += calls
    if (member.hasLeft) this.disconnectUnused(member)
    else this.rotation.recount(member)
  }

  private disconnectUnused({ made, outstanding }: Member<Connection>): void {
    if (outstanding === 0 && made) this.settings.disconnect(made.connection)
  }
}

/**
 * Error for an update from `combineRegistries`. A balancer holds one list, and does not apply the priorities and ratios
 * of several.
 */
function severalRegistries(registry: string): DiscoError {
  return new DiscoError('USAGE', `The update is of ${registry}, one of several registries`, {
    suggestions: ['Watch each registry by itself, with an EndpointBalancer of its own'],
  })
}

function environmentOf<Connection>(
  settings: EndpointBalancerSettings<Connection>,
): Environment<Member<Connection>> {
  const { random, clientKey } = settings
  return {
    random,
    clientKey,
    id: ({ endpoint }) => endpointId(endpoint.registration),
    names: ({ endpoint: { registration } }) => {
      const { id, key, addr } = registration
      return id === undefined ? [key, addr] : [id, key, addr]
    },
    rank: ({ rank }) => rank,
    outstanding: ({ outstanding }) => outstanding,
  }
}
