import satisfies from 'semver/functions/satisfies.js'
import validRange from 'semver/ranges/valid.js'
import type { Endpoint } from './endpoint.js'
import { DiscoError } from './errors.js'

/**
 * One condition on an endpoint. `name` is `version`, `id`, `addr`, `weight` or the name of a metadata entry. A metadata
 * entry named `version`, `id`, `addr` or `weight` needs the prefix `metadata.`; for others the prefix is optional. A
 * missing entry equals the empty value. Weights are compared as numbers.
 */
export type Requirement =
  | { readonly op: '=' | '!='; readonly name: string; readonly value: string }
  | { readonly op: 'in' | 'notin'; readonly name: string; readonly values: readonly string[] }
  | { readonly op: Ordering; readonly name: 'weight'; readonly value: string }
  | { readonly op: Ordering | '~' | '^'; readonly name: 'version'; readonly value: string }

/** Comparisons of a weight or a version. */
export type Ordering = '>' | '>=' | '<' | '<='

/** All conditions must hold; an empty selector selects every endpoint. */
export type Selector = readonly Requirement[]

/** Options of {@link parseSelector}. */
export interface SelectorOptions {
  /**
   * `quoted` requires `zone=""` for an empty value and rejects `zone=`, which may come from an unset shell variable.
   * Default: `accepted`.
   */
  readonly empty?: 'accepted' | 'quoted' | undefined
}

/** Prefix of metadata names in a selector: `metadata.version` is a metadata entry, `version` the endpoint's field. */
export const METADATA_PREFIX = 'metadata.'

const FORMS =
  'Expected NAME=VALUE, NAME!=VALUE, NAME in (A,B), NAME notin (A,B), weight>0, version>=1.2, version~1.2 or version^1, separated by commas'

/**
 * A word in double quotes with backslash escapes, or a bare word without spaces and operator characters. If a bare word
 * could contain them, a missing comma as in `zone!=a rack=b` would give the value `a rack=b`.
 */
const NAME = /\s*("(?:[^"\\]|\\.)*"|[^\s"(),=!<>~^]+)\s*/sy
const VALUE = /\s*("(?:[^"\\]|\\.)*"|[^\s"(),=!<>~^]*)\s*/sy
const OPERATOR = /(==|!=|>=|<=|=|>|<|~|\^|notin(?=\s*\()|in(?=\s*\())/y
const WEIGHT = /^\d+(\.\d+)?$/

/**
 * Parses a selector such as `version=1.0.0,zone!=b,rack in (a,b),weight>0,version^1.2`.
 *
 * @param source name of the text in error messages, such as `--selector`
 * @throws DiscoError USAGE
 */
export function parseSelector(
  text: string,
  source = 'selector',
  { empty = 'accepted' }: SelectorOptions = {},
): Selector {
  const requirements: Requirement[] = []
  let at = 0
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at
    const [whole, part] = pattern.exec(text) ?? []
    if (whole === undefined || part === undefined) return null
    at += whole.length
    if (part === '' && empty === 'quoted') throw emptyValue(text, source)
    return unquoted(part)
  }
  const skip = (sign: string): boolean => {
    if (text[at] !== sign) return false
    at++
    return true
  }
  const takeValues = (): string[] | null => {
    const values: string[] = []
    while (text[at] === ' ') at++
    if (!skip('(')) return null
    do {
      const value = take(VALUE)
      if (value === null) return null
      values.push(value)
    } while (skip(','))
    return skip(')') ? values : null
  }
  do {
    const name = take(NAME)
    const op = name === null ? null : take(OPERATOR)
    if (name === null || op === null) throw invalidSelector(text, source)
    if (op === 'in' || op === 'notin') {
      const values = takeValues()
      if (!values || (name === 'weight' && !values.every(isWeight))) throw invalidSelector(text, source)
      requirements.push({ op, name, values })
      while (text[at] === ' ') at++
    } else {
      const value = take(VALUE)
      const read = value === null ? null : requirement(name, op, value)
      if (read === null) throw invalidSelector(text, source)
      requirements.push(read)
    }
  } while (skip(','))
  if (at < text.length) throw invalidSelector(text, source)
  return requirements
}

/** Formats a selector. `parseSelector` of the result gives an equal selector. */
export function formatSelector(selector: Selector): string {
  const formatted = selector.map((one) =>
    'values' in one
      ? `${quoted(one.name)} ${one.op} (${one.values.map(quoted).join(',')})`
      : `${quoted(one.name)}${one.op}${quoted(one.value)}`,
  )
  return formatted.join(',')
}

/** Whether an endpoint meets all requirements. `weight` is compared with the registered weight. */
export function selects(selector: Selector, endpoint: Endpoint): boolean {
  return selector.every((one) => isMet(one, endpoint))
}

/** The value that an endpoint has for a selector name; empty if it has none. */
export function attributeOf({ version, id, addr, weight, metadata }: Endpoint, name: string): string {
  if (name === 'version') return version
  if (name === 'id') return id ?? ''
  if (name === 'addr') return addr
  if (name === 'weight') return String(weight)
  if (Object.hasOwn(metadata, name)) return metadata[name] ?? ''
  if (!name.startsWith(METADATA_PREFIX)) return ''
  const own = name.slice(METADATA_PREFIX.length)
  return Object.hasOwn(metadata, own) ? (metadata[own] ?? '') : ''
}

/** Selector names of the endpoint's own fields; all other names are metadata. */
export const ATTRIBUTES: readonly string[] = ['version', 'id', 'addr', 'weight']

/** Whether an endpoint has a field or a metadata entry of this name, even with an empty value. */
export function hasAttribute({ metadata }: Endpoint, name: string): boolean {
  if (ATTRIBUTES.includes(name) || Object.hasOwn(metadata, name)) return true
  return name.startsWith(METADATA_PREFIX) && Object.hasOwn(metadata, name.slice(METADATA_PREFIX.length))
}

function isMet(one: Requirement, endpoint: Endpoint): boolean {
  const actual = attributeOf(endpoint, one.name)
  const isEqual = (value: string) =>
    one.name === 'weight' ? endpoint.weight === Number(value) : actual === value
  switch (one.op) {
    case '=':
      return isEqual(one.value)
    case '!=':
      return !isEqual(one.value)
    case 'in':
      return one.values.some(isEqual)
    case 'notin':
      return !one.values.some(isEqual)
    default:
      if (one.name === 'weight') return isOrdered(endpoint.weight, one.op, Number(one.value))
      return satisfies(asSemver(actual), `${one.op}${one.value}`)
  }
}

function isOrdered(one: number, op: Ordering, other: number): boolean {
  if (op === '>') return one > other
  if (op === '>=') return one >= other
  return op === '<' ? one < other : one <= other
}

/** Completes `v1.2` to `1.2.0`. Returns any other text unchanged: it satisfies no semver range. */
function asSemver(version: string): string {
  const [, major, minor = '.0', patch = '.0'] = /^v?(\d+)(\.\d+)?(\.\d+)?$/.exec(version) ?? []
  return major === undefined ? version : `${major}${minor}${patch}`
}

/** One requirement of a selector; null if the operator does not apply to the name or the value. */
function requirement(name: string, op: string, value: string): Requirement | null {
  const isEquality = op === '=' || op === '==' || op === '!='
  if (name === 'weight' && isEquality && !isWeight(value)) return null
  if (op === '=' || op === '==') return { op: '=', name, value }
  if (op === '!=') return { op, name, value }
  const isOrdering = op === '>' || op === '>=' || op === '<' || op === '<='
  if (name === 'weight' && isOrdering && isWeight(value)) return { op, name, value }
  const isRange = isOrdering || op === '~' || op === '^'
  if (name === 'version' && isRange && /^v?\d[\w.+-]*$/.test(value) && validRange(`${op}${value}`) !== null) {
    return { op, name, value }
  }
  return null
}

function isWeight(value: string): boolean {
  return WEIGHT.test(value)
}

function unquoted(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/gs, '$1') : word.trim()
}

function quoted(word: string): string {
  return /^[^\s"(),=!<>~^\\]+$/.test(word) ? word : `"${word.replace(/["\\]/g, '\\$&')}"`
}

function emptyValue(text: string, source: string): DiscoError {
  return new DiscoError('USAGE', `Invalid ${source} "${text}": a value is empty`, {
    suggestions: ['To select endpoints without a value, write zone=""'],
  })
}

function invalidSelector(text: string, source: string): DiscoError {
  return new DiscoError('USAGE', `Invalid ${source} "${text}"`, { suggestions: [FORMS] })
}
