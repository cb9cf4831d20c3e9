import { type EndpointProblem, notDialled } from '../endpoint.js'
import { ExactNumber, parseExactJson, writeJson } from '../exact-json.js'
import { textOf } from '../key-text.js'
import { Problem } from './layout.js'

/**
 * The members of a JSON object, read with the types that a layout expects. A wrong type throws a Problem.
 *
 * Tolerates what Go's encoding/json tolerates, because all frameworks here read their values with it: `null` is the
 * same as a missing member ("unmarshals into … no effect"), and a member is found under its name in any letter case
 * ("preferring exact matches but also accepting case-insensitive matches"). Only a layout's `read` is tolerant.
 * Its `claims` compares exact names, since `Addr` and `addr` distinguish layouts.
 */
export class Fields {
  constructor(private readonly members: Readonly<Record<string, unknown>>) {}

  /** @throws Problem */
  static parse(value: Uint8Array): Fields {
    return new Fields(objectIn(textOf(value)))
  }

  /** The text of a member; empty if it is missing, as in Go. */
  text(name: string): string {
    const text = this.any(name) ?? ''
    if (typeof text !== 'string') throw new Problem(`${name} is not a string`)
    return text
  }

  optionalText(name: string): string | undefined {
    return this.any(name) === undefined ? undefined : this.text(name)
  }

  boolean(name: string, missing: boolean): boolean {
    const flag = this.any(name) ?? missing
    if (typeof flag !== 'boolean') throw new Problem(`${name} is not true or false`)
    return flag
  }

  number(name: string): number {
    const member = this.any(name) ?? 0
    const number = member instanceof ExactNumber ? Number(member.text) : member
    if (typeof number !== 'number') throw new Problem(`${name} is not a number`)
    return number
  }

  integer(name: string): number {
    const number = this.number(name)
    if (Number.isSafeInteger(number)) return number
    throw new Problem(`${name} ${this.spelling(name)} is not an integer`)
  }

  /** An integer of at least 0. */
  count(name: string): number {
    const number = this.number(name)
    if (Number.isSafeInteger(number) && number >= 0) return number
    throw new Problem(`${name} ${this.spelling(name)} is not an integer >= 0`)
  }

  /** A number of at least 0. */
  amount(name: string): number {
    const number = this.number(name)
    if (Number.isFinite(number) && number >= 0) return number
    throw new Problem(`${name} ${this.spelling(name)} is not a number >= 0`)
  }

  /** A number as the value spells it, for a Problem. */
  private spelling(name: string): string {
    return writeJson(this.any(name) ?? 0)
  }

  /** A map of texts, with nulls as empty texts. Null for a missing member, and for null, which is a nil map in Go. */
  textMap(name: string): Readonly<Record<string, string>> | null {
    const map = this.any(name)
    if (map === null || map === undefined) return null
    if (isTextMap(map)) return map
    if (isObject(map)) {
      const texts = Object.fromEntries(Object.entries(map).map(([key, text]) => [key, text ?? '']))
      if (isTextMap(texts)) return texts
    }
    throw new Problem(`${name} is not a map of strings`)
  }

  list(name: string): readonly unknown[] {
    const list = this.any(name) ?? []
    if (Array.isArray(list)) return list
    throw new Problem(`${name} is not a list`)
  }

  object(name: string): Fields {
    return new Fields(requireObject(this.any(name), name))
  }

  /** The value of a member, which may be null; undefined if the member is absent. */
  any(name: string): unknown {
    if (name in this.members) return this.members[name]
    let found: unknown
    for (const other in this.members) if (isSameField(other, name)) found = this.members[other]
    return found
  }

  /** The members other than `names`, in their order; undefined if there are none. */
  rest(...names: readonly string[]): Readonly<Record<string, unknown>> | undefined {
    const left = Object.entries(this.members).filter(
      ([other]) => !names.some((name) => isSameField(other, name)),
    )
    return left.length === 0 ? undefined : Object.fromEntries(left)
  }
}

/** Whether Go's encoding/json decodes the member into the field: their names may differ in letter case. */
export function isSameField(member: string, field: string): boolean {
  return member.length === field.length && member.toLowerCase() === field.toLowerCase()
}

/** @throws Problem */
export function objectIn(text: string): Readonly<Record<string, unknown>> {
  let parsed: unknown
  try {
    parsed = parseExactJson(text)
  } catch {
    throw new Problem('value is not JSON')
  }
  return requireObject(parsed, 'value')
}

/** @throws Problem */
export function requireObject(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value
  throw new Problem(`${what} is not a JSON object`)
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
  )
}

function isTextMap(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value).every((entry) => typeof entry === 'string')
}

/** A member of stored metadata with its value as text: a value that is not a string becomes JSON. */
export function asText([name, value]: [string, unknown]): [string, string] {
  return [name, typeof value === 'string' ? value : writeJson(value)]
}

/** The problem that a scheme and the members `enable` and `healthy` give an endpoint, as written by Ego and Jupiter. */
export function problemByFlags(scheme: string, fields: Fields): EndpointProblem | null {
  if (scheme !== 'grpc')
    return notDialled(scheme === '' ? 'has an empty scheme, not grpc' : `speaks ${scheme}, not gRPC`)
  if (!fields.boolean('enable', true)) return notDialled('is not enabled')
  return fields.boolean('healthy', true) ? null : notDialled('is marked unhealthy')
}
