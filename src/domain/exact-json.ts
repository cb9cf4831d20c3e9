import { jsonTokens } from './json-tokens.js'

/** A number in JSON that keeps its spelling, because a double would change its value or print it differently. */
export class ExactNumber {
  /** @param text the number as written in JSON, such as `18446744073709551615` or `1e400` */
  constructor(readonly text: string) {}

  /** Called by JSON.stringify, which cannot print the digits unchanged; `writeJson` can. */
  toJSON(): number | string {
    const rounded = Number(this.text)
    return Number.isFinite(rounded) ? rounded : this.text
  }
}

/** Parsed JSON, with an ExactNumber for each number that a double would change or print differently. */
export type ExactJson =
  | string
  | number
  | boolean
  | null
  | ExactNumber
  | readonly ExactJson[]
  | { readonly [name: string]: ExactJson }

export function isArray(json: ExactJson): json is readonly ExactJson[] {
  return Array.isArray(json)
}

export function isObject(json: ExactJson): json is { readonly [name: string]: ExactJson } {
  return typeof json === 'object' && json !== null && !isArray(json) && !(json instanceof ExactNumber)
}

/**
 * The start of a number that might need an ExactNumber, with the character before it. It does not match a quoted
 * address, which most values in etcd contain. Some strings match, such as "a:1.5", which only costs time.
 */
const MAY_BE_INEXACT = /(?:^|[\s:,[])(?:-0|-?\d{16}|-?\d+[eE.])/

/**
 * Parses JSON as JSON.parse does, except that a number which a double would change or print differently becomes an
 * ExactNumber. Node 20 has no access to the source text of a number in JSON.parse.
 *
 * @throws SyntaxError of JSON.parse
 */
export function parseExactJson(text: string): ExactJson {
  const parsed = JSON.parse(text) as ExactJson
  return MAY_BE_INEXACT.test(text) ? (build(text) as ExactJson) : parsed
}

/** JSON without white space, in which an ExactNumber keeps its spelling and members keep their order. */
export function writeJson(value: unknown): string {
  if (value instanceof ExactNumber) return value.text
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`
  const members = value instanceof Map ? [...(value as Map<string, unknown>)] : Object.entries(value)
  const present = members.filter(([, member]) => member !== undefined)
  return `{${present.map(([name, member]) => `${JSON.stringify(name)}:${writeJson(member)}`).join(',')}}`
}

/** The first number in parsed JSON that `isLossy`, such as 2^53 + 1; null if there is none. */
export function firstLossy(value: unknown): ExactNumber | null {
  if (value instanceof ExactNumber) return isLossy(value) ? value : null
  if (typeof value !== 'object' || value === null) return null
  for (const member of Object.values(value)) {
    const lossy = firstLossy(member)
    if (lossy) return lossy
  }
  return null
}

/**
 * Whether a double changes the value: a whole number is rounded, or a number is out of range. Fractions such as 0.1 do
 * not count, since every reader of JSON rounds them.
 */
function isLossy({ text }: ExactNumber): boolean {
  const value = Number(text)
  return !Number.isFinite(value) || (/^-?\d+$/.test(text) && BigInt(text) !== BigInt(value))
}

/** An object or array whose end has not been read yet. */
interface OpenContainer {
  readonly value: unknown[] | Record<string, unknown>
  /** The member of the object whose value comes next; null if a name comes next, and in an array. */
  name: string | null
}

/** Uses a stack, since recursion would overflow on deeply nested JSON. @param text valid JSON */
function build(text: string): unknown {
  const stack: OpenContainer[] = []
  let result: unknown
  const add = (value: unknown) => {
    const open = stack.at(-1)
    if (!open) result = value
    else if (Array.isArray(open.value)) open.value.push(value)
    else {
      // A plain assignment would call the setter of `__proto__`.
      Object.defineProperty(open.value, open.name ?? '', dataProperty(value))
      open.name = null
    }
  }
  for (const { text: token } of jsonTokens(text)) {
    if (token === '{' || token === '[') {
      const value = token === '{' ? {} : []
      add(value)
      stack.push({ value, name: null })
    } else if (token === '}' || token === ']') stack.pop()
    else if (token !== ',' && token !== ':') {
      const open = stack.at(-1)
      const isName = open && !Array.isArray(open.value) && open.name === null
      if (isName) open.name = JSON.parse(token) as string
      else add(valueIn(token))
    }
  }
  return result
}

function dataProperty(value: unknown): PropertyDescriptor {
  return { value, configurable: true, enumerable: true, writable: true }
}

function valueIn(token: string): unknown {
  const value: unknown = JSON.parse(token)
  if (typeof value !== 'number') return value
  const isHeld = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
  return isHeld && String(value) === token ? value : new ExactNumber(token)
}
