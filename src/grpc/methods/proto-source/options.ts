import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { type FeatureSet, FeatureSetSchema } from '@bufbuild/protobuf/wkt'
import type { Tokens } from './tokens.js'

/** The options of an element by name, except custom ones: strings without quotes, the rest as written. */
export type Options = Map<string, string>

/** The text after the keyword `option`, up to the semicolon. */
export function readOption(tokens: Tokens, options: Options): void {
  readAssignment(tokens, options)
  tokens.expect(';')
}

/** The options in brackets after a field or value, if any. */
export function readBracketed(tokens: Tokens): Options {
  const options: Options = new Map()
  if (!tokens.takeIf('[')) return options
  do readAssignment(tokens, options)
  while (tokens.takeIf(','))
  tokens.expect(']')
  return options
}

/** Custom options (with names in parentheses) do not affect how messages are read: they are skipped. */
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

/** @returns null for a message; its members become separate options: `features = { enum_type: CLOSED }` */
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

/** A message in protobuf's text format. */
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

/** The features of an edition that options set, such as `features.field_presence = IMPLICIT`. */
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
