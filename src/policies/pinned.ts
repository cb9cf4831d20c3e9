import { readParameters, text } from './parameters.js'
import type { CallKeys, Chooser, Environment, NamedKind, Policy, PolicyKind } from './policy.js'
import { NO_KEYS } from './policy.js'
import { roundRobin } from './round-robin.js'

const TRAITS = { name: 'pinned', shortName: 'pinned', weighted: false, shares: 'none' } as const

/**
 * Sends each call to the endpoint whose id, key or address is the pin: the pin of the call, or else the parameter `to`.
 * If no endpoint in rotation has that name, or there is no pin, the parameter `fallback` picks the endpoint. It is one
 * of `others` with its parameters, such as `{"round_robin": {}}`. Without a fallback the call fails.
 */
export function pinnedOr(others: readonly PolicyKind[]): NamedKind<'pinned', 'pinned'> {
  return {
    ...TRAITS,
    configure(config) {
      const { to, fallback } = readParameters(TRAITS.name, config, { to: text, fallback: policyOf(others) })
      return {
        ...TRAITS,
        config: {
          ...(to === undefined ? {} : { to }),
          ...(fallback === undefined ? {} : { fallback: { [fallback.name]: fallback.config } }),
        },
        reads: ['pin', ...(fallback?.reads ?? [])],
        countsCalls: fallback?.countsCalls ?? false,
        create: (environment) => new Pinned(environment, to ?? null, fallback?.create(environment) ?? null),
      }
    },
  }
}

function policyOf(others: readonly PolicyKind[]) {
  const expected = `one policy with its parameters, such as {"${others[0]?.name}": {}}; available: ${others
    .map(({ name }) => name)
    .join(', ')}`
  return {
    expected,
    read(value: unknown): Policy | null {
      const [entry, ...more] = Object.entries((value ?? {}) as object)
      const kind = others.find(({ name, shortName }) => name === entry?.[0] || shortName === entry?.[0])
      return entry && kind && more.length === 0 ? kind.configure(entry[1]) : null
    },
  }
}

class Pinned<Candidate> implements Chooser<Candidate> {
  private readonly namesOf = new Map<Candidate, readonly string[]>()
  /** The endpoints of each name. Two keys may have the same address: endpoints with the same name take turns. */
  private readonly sameName = new Map<string, Chooser<Candidate>>()

  constructor(
    private readonly environment: Environment<Candidate>,
    private readonly defaultPin: string | null,
    private readonly fallback: Chooser<Candidate> | null,
  ) {}

  get size(): number {
    return this.namesOf.size
  }

  join(candidate: Candidate, weight: number): void {
    this.addNames(candidate)
    this.fallback?.join(candidate, weight)
  }

  reweigh(candidate: Candidate, weight: number): void {
    this.fallback?.reweigh(candidate, weight)
  }

  recount(candidate: Candidate): void {
    this.fallback?.recount?.(candidate)
  }

  leave(candidate: Candidate): void {
    this.removeNames(candidate)
    this.fallback?.leave(candidate)
  }

  rename(candidate: Candidate): void {
    if (!this.namesOf.has(candidate)) return
    this.removeNames(candidate)
    this.addNames(candidate)
  }

  choose(keys: CallKeys = NO_KEYS): Candidate | null {
    const pin = keys.pin ?? this.defaultPin
    const pinned = pin === null ? undefined : this.sameName.get(pin)
    return pinned?.choose() ?? this.fallback?.choose(keys) ?? null
  }

  private addNames(candidate: Candidate): void {
    const names = [...new Set(this.environment.names(candidate))]
    this.namesOf.set(candidate, names)
    for (const name of names) {
      const sameName = this.sameName.get(name) ?? roundRobin.configure({}).create(this.environment)
      sameName.join(candidate, 1)
      this.sameName.set(name, sameName)
    }
  }

  private removeNames(candidate: Candidate): void {
    for (const name of this.namesOf.get(candidate) ?? []) {
      const sameName = this.sameName.get(name)
      sameName?.leave(candidate)
      if (sameName?.size === 0) this.sameName.delete(name)
    }
    this.namesOf.delete(candidate)
  }
}
