import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { type FeatureSet, FeatureSetSchema } from '@bufbuild/protobuf/wkt'
import type { Tokens } from './tokens.js'

/**
 * The options of a schema element by name, without custom options. Strings are unquoted; other values are as written.
 */
export type Options = Map<string, string>

/** Parses an option after the keyword `option`, including the semicolon. */
export function readOption(tokens: Tokens, options: Options): void {
  readAssignment(tokens, options)
  tokens.expect(';')
}

/** Parses the options in brackets after a field or an enum value; empty if there are no brackets. */
export function readBracketed(tokens: Tokens): Options {
  const options: Options = new Map()
  if (!tokens.takeIf('[')) return options
  do readAssignment(tokens, options)
  while (tokens.takeIf(','))
  tokens.expect(']')
  return options
}

/** Parses `name = value`. Skips custom options (names in parentheses): they do not affect how messages are decoded. */
function readAssignment(tokens: Tokens, options: Options): void {
  const isCustom = tokens.text === '('
  let name = readNamePart(tokens)
  while (tokens.takeIf('.')) name += `.${readNamePart(tokens)}`
  tokens.expect('=')
  const value = readValue(tokens, isCustom ? null : name, options)
  if (!isCustom && value !== null) options.set(name, value)
}

function readNamePart(tokens: Tokens): string {
  if (!tokens.takeIf('(')) return tokens.word()
  const path = tokens.path()
  tokens.expect(')')
  return `(${path})`
}

/**
 * Parses the value of an option.
 *
 * @param name null for a custom option
 * @returns null for a message value. Its members become separate options: `features = { enum_type: CLOSED }` sets
 *   `features.enum_type`.
 */
function readValue(tokens: Tokens, name: string | null, options: Options): string | null {
  if (tokens.kind === 'string') return tokens.string()
  if (tokens.takeIf('{')) {
    readMembers(tokens, '}', name, options)
    return null
  }
  const sign = tokens.takeIf('-') ? '-' : tokens.takeIf('+') ? '' : ''
  if (tokens.kind === 'word' || tokens.kind === 'number') return sign + tokens.take()
  throw tokens.unexpected('a value')
}

/** Parses the members of a message in protobuf's text format. Members of nested messages are skipped. */
function readMembers(tokens: Tokens, end: string, name: string | null, options: Options): void {
  while (!tokens.takeIf(end)) {
    if (name !== null && tokens.kind === 'word') {
      const member = tokens.word()
      if (tokens.takeIf(':') && (tokens.kind === 'word' || tokens.kind === 'number')) {
        options.set(`${name}.${member}`, tokens.take())
      }
      continue
    }
    if (tokens.takeIf('{')) readMembers(tokens, '}', null, options)
    else if (tokens.takeIf('<')) readMembers(tokens, '>', null, options)
    else tokens.take()
  }
}

/**
 * The features of an edition that the options set, such as `features.field_presence = IMPLICIT`; empty if none is set.
 */
export function featuresIn(options: Options): { features?: FeatureSet } {
  const init: Record<string, unknown> = {}
  for (const field of FeatureSetSchema.fields) {
    const name = options.get(`features.${field.name}`)
    const value = name === undefined ? undefined : field.enum?.values.find((known) => known.name === name)
    if (value) init[field.localName] = value.number
  }
  if (Object.keys(init).length === 0) return {}
  return { features: create(FeatureSetSchema, init as MessageInitShape<typeof FeatureSetSchema>) }
}
