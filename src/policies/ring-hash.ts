import { hash32 } from './hash.js'
import { readParameters, text } from './parameters.js'
import type { CallKeys, Chooser, Environment, NamedKind } from './policy.js'
import { NO_KEYS } from './policy.js'
import { Ring } from './ring.js'

/**
 * Calls with the same key go to the same endpoint (consistent hashing): an endpoint that joins or leaves moves only its
 * own keys. The call's key takes precedence over the parameter `key`. Without either, a random place on the ring is
 * used (gRFC A76).
 */
export const ringHash = onRing({ name: 'ring_hash', shortName: 'ring' }, () => null)

/**
 * All calls of one client go to the same endpoint; the clients spread by weight, on the same ring as `ring_hash`. The
 * key is the client's name, unless the call or the parameter `key` gives another.
 */
export const sourceHash = onRing({ name: 'source_hash', shortName: 'source' }, ({ clientKey }) => clientKey)

/**
 * A policy on the ring.
 *
 * @param keyOf returns the default key, used if the parameter `key` is absent; null for a random place on the ring
 */
function onRing<Name extends string, ShortName extends string>(
  names: Pick<NamedKind<Name, ShortName>, 'name' | 'shortName'>,
  keyOf: (environment: Pick<Environment<unknown>, 'clientKey'>) => string | null,
): NamedKind<Name, ShortName> {
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

/**
 * Chooses the owner of the call's key on a ring of all candidates. A call without a key gets a random place on the
 * ring.
 */
export class HashRing<Candidate> implements Chooser<Candidate> {
  private readonly ring = new Ring<Candidate>()

  constructor(
    private readonly environment: Pick<Environment<Candidate>, 'id' | 'random'>,
    /** The key for calls without one; null for a random place on the ring. */
    private readonly defaultKey: string | null,
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
    const key = hashKey ?? this.defaultKey
    const hash = key === null ? Math.floor(this.environment.random() * 2 ** 32) : hash32(key)
    return this.ring.ownerOf(hash)
  }
}
