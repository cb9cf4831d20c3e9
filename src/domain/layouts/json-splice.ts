import { jsonTokens } from '../json-tokens.js'
import { isSameField } from './json-fields.js'

/** A member of a Go map, by its exact name; or a field of a Go struct, by its name in any letter case. */
type Step = string | { readonly field: string }

/** The path to the member, from the outermost object inwards. */
type Path = readonly [Step, ...Step[]]

/**
 * Sets a member of a JSON object. All other bytes of the value stay, including white space, unknown fields and anything
 * after the object. Works on single bytes (as Latin-1), so that text in any encoding survives. All duplicates of a member
 * change, since readers differ in which one they use. A missing object on the path is added.
 *
 * @param json a value that parses as a JSON object.
 * @param raw the member's new value, as JSON in ASCII.
 */
export function spliceJson(json: Uint8Array, path: Path, raw: string): Uint8Array {
  return Buffer.from(spliced(Buffer.from(json).toString('latin1'), path, raw), 'latin1')
}

/** The raw text of a top-level member, the last one of duplicates; null if it is absent. */
export function rawMember(json: Uint8Array, member: string): string | null {
  const text = Buffer.from(json).toString('latin1')
  const span = scanObject(text, (name) => name === member).spans.at(-1)
  return span ? text.slice(...span) : null
}

function spliced(text: string, [step, ...rest]: Path, raw: string): string {
  const { spans, isEmpty, end } = scanObject(text, (name) => isAtStep(name, step))
  const [next, ...deeper] = rest
  const valueFor = (old: string) => {
    if (next === undefined) return raw
    return old.startsWith('{') ? spliced(old, [next, ...deeper], raw) : nested([next, ...deeper], raw)
  }
  let result = text
  for (const [from, to] of spans.toReversed()) {
    result = result.slice(0, from) + valueFor(text.slice(from, to)) + result.slice(to)
  }
  if (spans.length > 0) return result
  const added = `${isEmpty ? '' : ','}${JSON.stringify(nameOf(step))}:${valueFor('')}`
  return `${text.slice(0, end)}${added}${text.slice(end)}`
}

function nested(path: readonly Step[], raw: string): string {
  return path.reduceRight<string>((inner, step) => `{${JSON.stringify(nameOf(step))}:${inner}}`, raw)
}

function isAtStep(member: string, step: Step): boolean {
  return typeof step === 'string' ? member === step : isSameField(member, step.field)
}

function nameOf(step: Step): string {
  return typeof step === 'string' ? step : step.field
}

/** The result of a scan of a JSON object, not of the objects in it. */
interface Scan {
  /** The start and end of each value of a member that matches. */
  readonly spans: readonly (readonly [number, number])[]
  readonly isEmpty: boolean
  /** The index of the object's closing brace. */
  readonly end: number
}

function scanObject(text: string, isMember: (name: string) => boolean): Scan {
  const spans: (readonly [number, number])[] = []
  let depth = 0
  let name: string | null = null
  let valueFollows = false
  let valueFrom = 0
  let tokens = 0
  for (const { text: token, from } of jsonTokens(text)) {
    const to = from + token.length
    tokens++
    if (depth === 1 && valueFollows && token !== '}' && token !== ',') valueFrom = from
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') {
      depth--
      if (depth === 0) return { spans, isEmpty: tokens === 2, end: from }
    }
    if (depth !== 1) continue
    if (token === ',') {
      name = null
      valueFollows = false
    } else if (token === ':') valueFollows = true
    else if (!valueFollows && tokens > 1) name = JSON.parse(token) as string
    else if (valueFollows && name !== null && isMember(name)) spans.push([valueFrom, to])
  }
  throw new Error('spliceJson needs a JSON object')
}
