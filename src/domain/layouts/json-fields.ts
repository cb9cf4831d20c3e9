import { Problem } from './problem.js'

/** The members of a JSON object, read with the types that a layout expects; a wrong one is a Problem. */
export class Fields {
  constructor(private readonly members: Readonly<Record<string, unknown>>) {}

  /** @throws Problem */
  static parse(value: Uint8Array): Fields {
    return new Fields(objectIn(Buffer.from(value).toString()))
  }

  /** Where it is missing, what Go would take: an empty text. */
  text(name: string): string {
    const text = this.members[name] ?? (name in this.members ? null : '')
    if (typeof text !== 'string') throw new Problem(`${name} is not a string`)
    return text
  }

  optionalText(name: string): string | undefined {
    return name in this.members ? this.text(name) : undefined
  }

  boolean(name: string, missing: boolean): boolean {
    const flag = name in this.members ? this.members[name] : missing
    if (typeof flag !== 'boolean') throw new Problem(`${name} is not true or false`)
    return flag
  }

  number(name: string): number {
    const number = name in this.members ? this.members[name] : 0
    if (typeof number !== 'number') throw new Problem(`${name} is not a number`)
    return number
  }

  integer(name: string): number {
    const number = this.number(name)
    if (Number.isSafeInteger(number)) return number
    throw new Problem(`${name} ${number} is no integer`)
  }

  /** An integer of at least 0. */
  count(name: string): number {
    const number = this.number(name)
    if (Number.isSafeInteger(number) && number >= 0) return number
    throw new Problem(`${name} ${number} is no integer >= 0`)
  }

  /** A number of at least 0. */
  amount(name: string): number {
    const number = this.number(name)
    if (Number.isFinite(number) && number >= 0) return number
    throw new Problem(`${name} ${number} is no number >= 0`)
  }

  /** Null where Go wrote a nil map, or nothing. */
  textMap(name: string): Readonly<Record<string, string>> | null {
    const map = this.members[name] ?? null
    if (map === null) return null
    if (isTextMap(map)) return map
    throw new Problem(`${name} is not a map of strings`)
  }

  list(name: string): readonly unknown[] {
    const list = this.members[name] ?? []
    if (Array.isArray(list)) return list
    throw new Problem(`${name} is not a list`)
  }

  object(name: string): Fields {
    return new Fields(requireObject(this.members[name], name))
  }

  any(name: string): unknown {
    return this.members[name]
  }

  /** Its members but for these, in their order; undefined where none is left. */
  rest(...names: readonly string[]): Readonly<Record<string, unknown>> | undefined {
    const left = Object.entries(this.members).filter(([name]) => !names.includes(name))
    return left.length === 0 ? undefined : Object.fromEntries(left)
  }
}

/** @throws Problem */
export function objectIn(text: string): Readonly<Record<string, unknown>> {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new Problem('value is not JSON')
  }
  return requireObject(parsed, 'value')
}

/** @throws Problem */
export function requireObject(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value
  throw new Problem(`${what} is no JSON object`)
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTextMap(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value).every((entry) => typeof entry === 'string')
}
