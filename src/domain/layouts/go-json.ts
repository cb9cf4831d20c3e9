import { ExactNumber, writeJson } from '../exact-json.js'

const HTML_ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

/**
 * JSON as Go's encoding/json writes it: compact, with `<`, `>`, `&` and the two line separators escaped. An object
 * represents a struct, with members in their order, and a Map represents a map (see `goMap`).
 */
export function goJson(value: unknown): string {
  return writeJson(value).replace(/[<>&\u2028\u2029]/g, (character) => HTML_ESCAPES[character] ?? character)
}

/** A JSON value in the order in which Go writes maps: members sorted by their bytes, at every depth. */
export function goMap(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value
  if (Array.isArray(value)) return value.map(goMap)
  const sorted = Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return new Map(sorted.map(([name, member]) => [name, goMap(member)]))
}
