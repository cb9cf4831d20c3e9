import { ExactNumber, writeJson } from '../exact-json.js'

const HTML_ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

/**
 * JSON as Go's encoding/json writes it: compact, with `<`, `>`, `&`, U+2028 and U+2029 escaped. An object represents a
 * Go struct, whose fields keep their order. A Map represents a Go map (see `goMap`).
 */
export function goJson(value: unknown): string {
  return writeJson(value).replace(/[<>&\u2028\u2029]/g, (character) => HTML_ESCAPES[character] ?? character)
}

/** A JSON value with the members of all objects in the order in which Go writes maps: sorted by the bytes of names. */
export function goMap(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value
  if (Array.isArray(value)) return value.map(goMap)
  const sorted = Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return new Map(sorted.map(([name, member]) => [name, goMap(member)]))
}
