import { asCode, INVISIBLE, stringify } from '../terminal/visible.js'
import type { DocumentWriter } from './document-writer.js'

/**
 * Strings that need no quotes in YAML, apart from `RESERVED` words. They begin with a letter or a slash, unlike numbers
 * and dates, and have no character with a meaning in YAML.
 */
const PLAIN = /^[A-Za-z/](?:[A-Za-z0-9_./@-]|:(?=[A-Za-z0-9_./@-]))*$/

/** Words that YAML 1.1 or 1.2 reads as a boolean or null. Many readers still follow 1.1. */
const RESERVED = /^(?:true|false|null|yes|no|on|off|y|n)$/i

/**
 * A JSON value as YAML, line by line, safe for a terminal. The YAML library is not used, because it takes 16 s for the
 * 100,000 endpoints of a large registry, and does not escape invisible characters. Strings that need quotes are written
 * as JSON strings, which are valid YAML.
 *
 * @param value a JSON value; undefined members of objects are left out
 * @param indent the text before each line
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

/** Writes YAML. Several documents form a stream, in which a line `---` precedes each. */
export const YAML_WRITER: DocumentWriter = {
  documentLines: (document) => yamlLines(document),
  line: (document) => ['---', ...yamlLines(document)].join('\n'),
}

/** The lines of a list's element. The first line follows the dash. */
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

/** The escape of a character. Above U+FFFF, YAML has one escape for a character, and JSON two. */
function codeOf(character: string): string {
  if (character.length === 1) return asCode(character)
  return `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`
}
