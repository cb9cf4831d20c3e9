import { Flags, type Interfaces } from '@oclif/core'
import { hasPlaceholder } from '../../call/template.js'
import { DiscoError, invalidValue } from '../../domain/errors.js'
import { findPolicy, listPolicies, POLICIES, type Policy, type PolicyKind } from '../../policies/index.js'
import { integerFlag, parsedBy, refuseEmpty, textFlag } from './custom.js'

type PolicyKinds = readonly [PolicyKind, ...PolicyKind[]]

/** An LB policy, by its name or short name. */
export const policyKindFlag = Flags.custom<PolicyKind>({
  helpValue: '<name>',
  defaultHelp: async ({ options }) => (options.default as PolicyKind | undefined)?.name,
  parse: parsedBy((text, flag) => findPolicy(refuseEmpty(text, flag), flag)),
})

const policyKindsFlag = Flags.custom<PolicyKinds>({
  helpValue: '<name>',
  defaultHelp: async ({ options }) => (options.default as PolicyKinds | undefined)?.[0].name,
  parse: parsedBy((text, flag): PolicyKinds => {
    const [first = '', ...more] = refuseEmpty(text, flag)
      .split(',')
      .map((name) => name.trim())
    if (more.length > 0 && [first, ...more].includes('')) {
      const expected = 'names with commas and no spaces between them, such as wrr,random'
      throw invalidValue(flag, text, expected)
    }
    return [findPolicy(first, flag), ...more.map((name) => findPolicy(name, flag))]
  }),
})

/** Parameters of LB policies. */
const parameterFlags = {
  'hash-key': textFlag({
    helpGroup: 'POLICY',
    helpValue: 'KEY',
    description: 'key by which ring_hash and source_hash choose',
  }),
  pin: textFlag({
    helpGroup: 'POLICY',
    helpValue: 'ID',
    description: 'endpoint for the policy pinned: its id, key or address',
  }),
  'pin-fallback': policyKindFlag({
    helpGroup: 'POLICY',
    description: 'policy for pinned calls without their endpoint; by default they fail',
  }),
  choices: integerFlag({
    helpGroup: 'POLICY',
    helpValue: 'N',
    min: 2,
    max: 10,
    description: 'number of endpoints that least_request compares; default: all',
  }),
}

const POLICY = { helpGroup: 'POLICY', description: `LB policy: ${listPolicies()}` }

/** One LB policy and its parameters. */
export const policyFlags = {
  policy: policyKindFlag({ ...POLICY, default: POLICIES[0] }),
  ...parameterFlags,
}

/** LB policies to compare, `--policy a,b`, and their parameters. */
export const policiesFlags = {
  policy: policyKindsFlag({ ...POLICY, default: [POLICIES[0]] }),
  ...parameterFlags,
}

/** `--health`, for commands that dial. */
export const healthFlag = Flags.boolean({
  helpGroup: 'POLICY',
  description: 'pick only endpoints that report SERVING (grpc.health.v1 Watch)',
})

/** For each flag, the name of the parameter in a policy's config, and the policies that have it. */
const PARAMETERS = [
  { flag: 'hash-key', parameter: 'key', policies: ['ring_hash', 'source_hash'] },
  { flag: 'pin', parameter: 'to', policies: ['pinned'] },
  { flag: 'pin-fallback', parameter: 'fallback', policies: ['pinned'] },
  { flag: 'choices', parameter: 'choiceCount', policies: ['least_request'] },
] as const

type ParameterFlags = Partial<Interfaces.InferredFlags<typeof parameterFlags>>

/**
 * The policy that the flags describe.
 *
 * @throws DiscoError USAGE for a parameter that the policy does not have, or for `pinned` without --pin
 */
export function policyOf(flags: ParameterFlags & { readonly policy: PolicyKind }): Policy {
  requirePin(flags.policy, flags)
  return policyForKeyedCalls(flags)
}

/**
 * The policy that the flags describe, for the calls of other clients. `pinned` needs no --pin, because each call has
 * its own.
 *
 * @throws DiscoError USAGE for a parameter that the policy does not have
 */
export function policyForKeyedCalls({
  policy,
  ...parameters
}: ParameterFlags & { readonly policy: PolicyKind }): Policy {
  refuseUnused([policy], parameters)
  return configured(policy, parameters)
}

/**
 * The policies that the flags describe, each with its own parameters. A hash key with a placeholder is not a
 * parameter: each call has its own key.
 *
 * @throws DiscoError USAGE for a parameter that none of the policies has, or for `pinned` without --pin
 */
export function policiesOf({
  policy: [first, ...more],
  ...parameters
}: ParameterFlags & { readonly policy: PolicyKinds }): readonly [Policy, ...Policy[]] {
  refuseUnused([first, ...more], parameters)
  for (const kind of [first, ...more]) requirePin(kind, parameters)
  const constant = hasPlaceholder(parameters['hash-key'] ?? '')
    ? { ...parameters, 'hash-key': undefined }
    : parameters
  return [configured(first, constant), ...more.map((kind) => configured(kind, constant))]
}

function refuseUnused(kinds: PolicyKinds, parameters: ParameterFlags): void {
  const names: readonly string[] = kinds.map(({ name }) => name)
  for (const { flag, policies } of PARAMETERS) {
    if (parameters[flag] === undefined || policies.some((policy) => names.includes(policy))) continue
    throw new DiscoError('USAGE', `--${flag} has no effect with policy ${names.join(' or ')}`, {
      suggestions: [`It is a parameter of --policy ${policies.join(' or ')}`],
    })
  }
}

function configured(kind: PolicyKind, parameters: ParameterFlags): Policy {
  const config: Record<string, unknown> = {}
  for (const { flag, parameter, policies } of PARAMETERS) {
    const value = parameters[flag]
    if (value === undefined || !policies.some((policy) => policy === kind.name)) continue
    config[parameter] = typeof value === 'object' ? { [value.name]: {} } : value
  }
  return kind.configure(config)
}

function requirePin({ name }: PolicyKind, { pin }: ParameterFlags): void {
  if (name !== 'pinned' || pin !== undefined) return
  throw new DiscoError('USAGE', '--policy pinned needs --pin', {
    suggestions: ['Give an id, a key or an address, such as --pin 127.0.0.1:1001'],
  })
}
