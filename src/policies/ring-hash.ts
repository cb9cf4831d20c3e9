import { hash32 } from './hash.js'
import { readParameters, text } from './parameters.js'
import type { CallKeys, Chooser, Environment, PolicyKind } from './policy.js'
import { NO_KEYS } from './policy.js'
import { Ring } from './ring.js'

/**
 * Calls with the same key go to the same endpoint (consistent hashing): who joins or leaves moves its own
 * keys and no others. A call's own key comes first, then the parameter `key`; a call without any goes
 * anywhere, as gRFC A76 has it.
 */
export const ringHash = onRing({ name: 'ring_hash', shortName: 'ring' }, () => null)

/**
 * Every call of one client goes to the same endpoint; the clients spread by weight, on the same ring as
 * `ring_hash`. The key is the client's own name, unless the parameter `key`, or a call, says another.
 */
export const sourceHash = onRing({ name: 'source_hash', shortName: 'source' }, ({ clientKey }) => clientKey)

/** A policy by the ring. @param keyOf the key of calls that have none, where no parameter `key` says one */
function onRing(
  names: Pick<PolicyKind, 'name' | 'shortName'>,
  keyOf: (environment: Pick<Environment<unknown>, 'clientKey'>) => string | null,
): PolicyKind {
  const traits = { ...names, weighted: true, shares: 'none' } as const
  return {
    ...traits,
    configure(config) {
      const { key } = readParameters(traits.name, config, { key: text })
      return {
        ...traits,
        config: key === undefined ? {} : { key },
        reads: ['hashKey'],
        countsCalls: false,
        create: (environment) => new HashRing(environment, key ?? keyOf(environment)),
      }
    },
  }
}

/** Owns the keys of its ring, and draws for calls without a key. */
export class HashRing<Candidate> implements Chooser<Candidate> {
  private readonly ring = new Ring<Candidate>()

  constructor(
    private readonly environment: Pick<Environment<Candidate>, 'id' | 'random'>,
    /** The key of calls that have none; without it they go anywhere. */
    private readonly keyOtherwise: string | null,
  ) {}

  get size(): number {
    return this.ring.size
  }

  join(candidate: Candidate, weight: number): void {
    this.ring.put(candidate, this.environment.id(candidate), weight)
  }

  reweigh(candidate: Candidate, weight: number): void {
    if (this.ring.has(candidate)) this.join(candidate, weight)
  }

  leave(candidate: Candidate): void {
    this.ring.delete(candidate)
  }

  choose({ hashKey }: CallKeys = NO_KEYS): Candidate | null {
    const key = hashKey ?? this.keyOtherwise
    const hash = key === null ? Math.floor(this.environment.random() * 2 ** 32) : hash32(key)
    return this.ring.ownerOf(hash)
  }
}
