import { type Chooser, type Environment, type PolicyKind, seeded } from '../../src/policies/index.js'

/** A policy's chooser among candidates that are their own names, all idle; random by a seed. */
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
