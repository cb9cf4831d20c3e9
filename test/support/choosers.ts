import { type Chooser, type Environment, type PolicyKind, seeded } from '../../src/policies/index.js'

/**
 * A policy’s chooser whose candidates are identified by their names and have no outstanding calls. Random picks use a
 * seed.
 */
export function chooserOf<Candidate extends string | number>(
  kind: PolicyKind,
  { config = {}, ...environment }: { config?: object } & Partial<Environment<Candidate>> = {},
): Chooser<Candidate> {
  return kind.configure(config).create<Candidate>({
    random: seeded(1),
    clientKey: 'client-1',
    id: String,
    names: (candidate) => [String(candidate)],
    rank: Number,
    outstanding: () => 0,
    ...environment,
  })
}
