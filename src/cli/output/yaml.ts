import { asCode, INVISIBLE, stringify } from '../terminal/visible.js'
import type { DocumentWriter } from './document-writer.js'

/**
 * Texts that every YAML reader takes for texts without quotes: they begin with a letter or a slash, which no number or
 * date does, and have no character of YAML's own.
 */
const PLAIN = /^[A-Za-z/](?:[A-Za-z0-9_./@-]|:(?=[A-Za-z0-9_./@-]))*$/

/** Texts that YAML 1.2, or 1.1, which many readers still follow, takes for other values. */
const RESERVED = /^(?:true|false|null|yes|no|on|off|y|n)$/i

/**
 * A JSON value as YAML, line by line, safe for a terminal. Not by the YAML library: it takes 16 s for the 100,000
 * endpoints of a large registry, and writes invisible characters as they are. JSON strings are YAML strings, so that
 * all but the plainest texts are written as JSON.
 *
 * @param value of JSON; members that are undefined are left out
 * @param indent put before each line
 */
export function* yamlLines(value: unknown, indent = ''): Generator<string, void, void> {
  if (Array.isArray(value) && value.length > 0) {
    for (const element of value) yield* afterMark('- ', element, indent)
    return
  }
  const members = isMap(value) ? presentMembers(value) : []
  if (members.length === 0) {
    yield indent + scalar(value)
    return
  }
  for (const [name, member] of members) {
    const key = `${indent}${scalar(name)}:`
    if (isNested(member)) {
      yield key
      yield* yamlLines(member, `${indent}  `)
    } else yield `${key} ${scalar(member)}`
  }
}

/** Several documents are a stream of YAML, each behind a line `---`. */
export const YAML_WRITER: DocumentWriter = {
  documentLines: (document) => yamlLines(document),
  line: (document) => ['---', ...yamlLines(document)].join('\n'),
}

/** An element of a list: its first line follows the dash. */
function* afterMark(mark: string, element: unknown, indent: string): Generator<string, void, void> {
  const deeper = indent + ' '.repeat(mark.length)
  let isFirst = true
  for (const line of yamlLines(element, deeper)) {
    yield isFirst ? indent + mark + line.slice(deeper.length) : line
    isFirst = false
  }
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function presentMembers(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, member]) => member !== undefined)
}

function isNested(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : isMap(value) && presentMembers(value).length > 0
}

function scalar(value: unknown): string {
  if (typeof value === 'string') {
    if (PLAIN.test(value) && !RESERVED.test(value)) return value
    return stringify(value).replace(INVISIBLE, codeOf)
  }
  if (Array.isArray(value)) return '[]'
  return typeof value === 'object' && value !== null ? '{}' : String(value)
}

/** Beyond the first 65,536 characters, YAML has an escape of its own where JSON has two. */
function codeOf(character: string): string {
  if (character.length === 1) return asCode(character)
  return `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`
}
