import { hash32 } from '../../policies/hash.js'
import { type CallKeys, type Chooser, NO_KEYS, type Policy } from '../../policies/index.js'
import { weightedRoundRobin } from '../../policies/weighted-round-robin.js'
import type { Member } from './member.js'
import { ENVIRONMENT, ownName, type Rotation } from './rotation.js'

/** The members of one registry among several of the same priority. */
export interface Share<One extends Member> {
  readonly registry: string
  /** Its part of the calls, in proportion to those of the others. */
  readonly weight: number
  readonly rotation: Rotation<One>
}

/**
 * Chooses a registry in a ratio, then one of its endpoints by the policy. A registry keeps its part of the calls as
 * long as one of its endpoints is READY (like weighted_target of gRFC A28). The registries take turns by weighted round
 * robin: under a policy with exact shares, every endpoint is less than two picks away from its share.
 *
 * A call with a hash key goes to the registry that owns the key, by weighted rendezvous hashing (Thaler and Ravishankar
 * 1998): if a registry has no READY endpoint, its keys spread over the others, whose own keys stay.
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
  /** Registries with an endpoint in rotation. */
  private readonly used = new Set<Share<One>>()
  private readonly known = new Set<Share<One>>()
  private readonly ownKey: string | null

  constructor(private readonly policy: Pick<Policy, 'name' | 'config' | 'reads'>) {
    const { key = policy.name === 'source_hash' ? ownName() : null } = policy.config
    this.ownKey = key === null ? null : String(key)
  }

  /** A registry may have got its first endpoint in rotation, or lost its last one. */
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
    const key = this.policy.reads.includes('hashKey') ? (keys.hashKey ?? this.ownKey) : null
    const share = key === null ? this.turns.choose() : this.ownerOf(key)
    return share?.rotation.chooser.choose(keys) ?? null
  }

  private ownerOf(key: string): Share<One> | null {
    let owner: Share<One> | null = null
    let best = Number.POSITIVE_INFINITY
    for (const share of this.used) {
      // Exponentially distributed with the rate `weight`: the probability to be the least is proportional to the
      // weight.
      const drawn = (hash32(`${share.registry}\0${key}`) + 1) / (2 ** 32 + 1)
      const wait = -Math.log(drawn) / share.weight
      if (wait >= best) continue
      best = wait
      owner = share
    }
    return owner
  }
}
