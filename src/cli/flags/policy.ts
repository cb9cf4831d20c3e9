import { Flags } from '@oclif/core'
import { DiscoError } from '../../domain/errors.js'
import { findPolicy, listPolicies, POLICIES, type Policy } from '../../policies/index.js'
import { integerFlag } from './custom.js'

/** An LB policy and its parameters: the same for every command that balances. */
export const policyFlags = {
  policy: Flags.string({
    helpGroup: 'POLICY',
    default: POLICIES[0].name,
    helpValue: '<name>',
    description: `LB policy: ${listPolicies()}`,
  }),
  'hash-key': Flags.string({
    helpGroup: 'POLICY',
    helpValue: 'KEY',
    description: 'what ring_hash and source_hash choose by',
  }),
  pin: Flags.string({
    helpGroup: 'POLICY',
    helpValue: 'ID',
    description: 'the endpoint that pinned goes to: its id, key or address',
  }),
  'pin-fallback': Flags.string({
    helpGroup: 'POLICY',
    helpValue: '<name>',
    description: 'the policy of pinned calls whose endpoint is away; without one they fail',
  }),
  choices: integerFlag({
    helpGroup: 'POLICY',
    helpValue: 'N',
    ...{ min: 2, max: 10 },
    description: 'how many endpoints least_request compares; all of them without it',
  }),
}

/** For commands that dial. */
export const healthFlag = Flags.boolean({
  helpGroup: 'POLICY',
  description: 'pick only endpoints that say they are SERVING (grpc.health.v1 Watch)',
})

export interface PolicyFlags {
  readonly policy: string
  readonly 'hash-key'?: string | undefined
  readonly pin?: string | undefined
  readonly 'pin-fallback'?: string | undefined
  readonly choices?: number | undefined
}

/** Each flag's parameter, and the policies that have it. */
const PARAMETERS = [
  { flag: 'hash-key', parameter: 'key', policies: ['ring_hash', 'source_hash'] },
  { flag: 'pin', parameter: 'to', policies: ['pinned'] },
  { flag: 'pin-fallback', parameter: 'fallback', policies: ['pinned'] },
  { flag: 'choices', parameter: 'choiceCount', policies: ['least_request'] },
] as const

/** The policy that the flags describe. @throws DiscoError USAGE */
export function policyOf(flags: PolicyFlags): Policy {
  const kind = findPolicy(flags.policy)
  const config: Record<string, unknown> = {}
  for (const { flag, parameter, policies } of PARAMETERS) {
    const value = flags[flag]
    if (value === undefined) continue
    if (!policies.some((name) => name === kind.name)) {
      throw new DiscoError('USAGE', `--${flag} says nothing to the policy ${kind.name}`, {
        suggestions: [`It belongs to --policy ${policies.join(' or ')}`],
      })
    }
    config[parameter] = flag === 'pin-fallback' ? { [findPolicy(String(value)).name]: {} } : value
  }
  if (kind.name === 'pinned' && flags.pin === undefined) {
    throw new DiscoError('USAGE', 'The policy pinned needs to be told where to', {
      suggestions: ['Give --pin with an id, a key or an address, such as --pin 127.0.0.1:1001'],
    })
  }
  return kind.configure(config)
}

/** Whether a hash key is one for each call, rather than the channel's. */
export function isPerCall(hashKey: string | undefined): hashKey is string {
  return hashKey?.includes('{{') ?? false
}

/**
 * The policies that `--policy a,b` names, to be compared: each takes the flags that say something to it. A hash
 * key with a placeholder is none of theirs: calls bring it along.
 *
 * @throws DiscoError USAGE, also for a flag that says nothing to any of them
 */
export function policiesOf(flags: PolicyFlags): readonly [Policy, ...Policy[]] {
  const [first = '', ...more] = flags.policy.split(',').map((name) => findPolicy(name.trim()).name)
  const given = PARAMETERS.filter(({ flag }) => flags[flag] !== undefined)
  for (const { flag, policies } of given) {
    const isUsed = [first, ...more].some((name) => policies.some((policy) => policy === name))
    if (!isUsed) policyOf({ policy: first, [flag]: flags[flag] })
  }
  const own = (name: string): Policy => {
    const taken = given.filter(({ policies }) => policies.some((policy) => policy === name))
    const values = taken.map(({ flag }) => [flag, flags[flag]] as const)
    const kept = values.filter(([flag, value]) => flag !== 'hash-key' || !isPerCall(String(value)))
    return policyOf({ policy: name, ...Object.fromEntries(kept) })
  }
  return [own(first), ...more.map(own)]
}
