import { hash32 } from '../../policies/hash.js'
import { type CallKeys, type Chooser, NO_KEYS, type Policy } from '../../policies/index.js'
import { weightedRoundRobin } from '../../policies/weighted-round-robin.js'
import type { Member } from './member.js'
import { ENVIRONMENT, ownName, type Rotation } from './rotation.js'

/** The members of one registry, and the registry's share of the calls. */
export interface Share<One extends Member> {
  readonly registry: string
  /** The registry's share of the calls, relative to the weights of the other registries. */
  readonly weight: number
  readonly rotation: Rotation<One>
}

/**
 * Chooses a registry by its weight, then one of the registry's endpoints by the policy. A registry keeps its share of
 * the calls as long as one of its endpoints is READY (like weighted_target of gRFC A28). Registries are chosen by
 * weighted round robin: while membership and weights do not change, under a policy with exact shares, every endpoint is
 * less than two picks away from its share.
 *
 * A call with a hash key goes to the registry that owns the key, by weighted rendezvous hashing (Thaler and Ravishankar
 * 1998). If a registry has no READY endpoint, its keys are distributed over the other registries, which keep their own
 * keys.
 */
export class RatioChooser<One extends Member> implements Pick<Chooser<One>, 'choose'> {
  private readonly turns = weightedRoundRobin.configure({}).create<Share<One>>({
    random: ENVIRONMENT.random,
    clientKey: '',
    id: ({ registry }) => registry,
    names: () => [],
    rank: () => 0,
    outstanding: () => 0,
  })
  /** Registries with at least one endpoint in rotation. */
  private readonly used = new Set<Share<One>>()
  /** Registries that have joined `turns`, including suspended ones. */
  private readonly known = new Set<Share<One>>()
  /** The hash key for calls that have none; null if such calls are spread by weight. */
  private readonly defaultKey: string | null

  constructor(private readonly policy: Pick<Policy, 'name' | 'config' | 'reads'>) {
    const { key = policy.name === 'source_hash' ? ownName() : null } = policy.config
    this.defaultKey = key === null ? null : String(key)
  }

  /**
   * To be called after each change of a registry's rotation. Only a change from empty to not empty, or back, has an
   * effect.
   */
  update(share: Share<One>): void {
    const isUsed = share.rotation.size > 0
    if (isUsed === this.used.has(share)) return
    if (!isUsed) {
      this.used.delete(share)
      this.turns.suspend?.(share)
      return
    }
    this.used.add(share)
    if (this.known.has(share)) this.turns.resume?.(share, share.weight)
    else this.turns.join(share, share.weight)
    this.known.add(share)
  }

  choose(keys: CallKeys = NO_KEYS): One | null {
    const key = this.policy.reads.includes('hashKey') ? (keys.hashKey ?? this.defaultKey) : null
    const share = key === null ? this.turns.choose() : this.ownerOf(key)
    return share?.rotation.chooser.choose(keys) ?? null
  }

  private ownerOf(key: string): Share<One> | null {
    let owner: Share<One> | null = null
    let best = Number.POSITIVE_INFINITY
    for (const share of this.used) {
      const uniform = (hash32(`${share.registry}\0${key}`) + 1) / (2 ** 32 + 1)
      // A sample of an exponential distribution with the rate `weight`: the probability that a registry has the
      // smallest sample is proportional to its weight.
      const sample = -Math.log(uniform) / share.weight
      if (sample >= best) continue
      best = sample
      owner = share
    }
    return owner
  }
}
