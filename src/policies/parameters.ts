import { DiscoError } from '../domain/errors.js'
import type { NamedKind, Policy } from './policy.js'

/** A parameter of a policy. */
interface Parameter<Value> {
  /** The valid values in words, for the error message. */
  readonly expected: string
  /** Converts the value in the config; null if it is invalid. */
  read(value: unknown): Value | null
}

export const text: Parameter<string> = {
  expected: 'a non-empty text',
  read: (value) => (typeof value === 'string' && value !== '' ? value : null),
}

export function integer(least: number, most: number): Parameter<number> {
  return {
    expected: `an integer from ${least} to ${most}`,
    read: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : null,
  }
}

type Values<Parameters> = {
  readonly [Name in keyof Parameters]?: Parameters[Name] extends Parameter<infer Value> ? Value : never
}

/**
 * Reads a policy's parameters from its JSON object in a service config. Absent parameters are undefined.
 *
 * @throws DiscoError USAGE if `config` is not an object, has an unknown parameter or an invalid value
 */
export function readParameters<Parameters extends Record<string, Parameter<unknown>>>(
  policy: string,
  config: unknown,
  parameters: Parameters,
): Values<Parameters> {
  const names = Object.keys(parameters)
  const known = names.length === 0 ? 'It has no parameters' : `Parameters: ${names.join(', ')}`
  const fail = (problem: string): DiscoError =>
    new DiscoError('USAGE', `LB policy ${policy}: ${problem}`, { suggestions: [known] })
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw fail('its config is not a JSON object')
  }
  const values: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(config)) {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    if (!parameter) throw fail(`unknown parameter "${name}"`)
    const read = parameter.read(value)
    if (read === null) throw fail(`${name} is ${JSON.stringify(value)}, expected ${parameter.expected}`)
    values[name] = read
  }
  return values as Values<Parameters>
}

type Parameterless = Omit<Policy, 'config' | 'reads' | 'countsCalls'>

/** A policy that has no parameters and reads neither call keys nor outstanding calls. */
export function withoutParameters<Name extends string, ShortName extends string>(
  policy: Parameterless & { readonly name: Name; readonly shortName: ShortName },
): NamedKind<Name, ShortName> {
  const { name, shortName, weighted, shares } = policy
  return {
    name,
    shortName,
    weighted,
    shares,
    configure(config) {
      readParameters(name, config, {})
      return { ...policy, config: {}, reads: [], countsCalls: false }
    },
  }
}
