import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'

/** A position in a file, from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

export type YamlValue = Position &
  (
    | { readonly kind: 'map'; readonly entries: readonly YamlEntry[] }
    | { readonly kind: 'list'; readonly items: readonly YamlValue[] }
    | { readonly kind: 'scalar'; readonly value: unknown }
  )

export interface YamlEntry {
  readonly key: string
  /** The position of the key. */
  readonly at: Position
  readonly value: YamlValue
}

/** One change of a file: the new value at a path of keys, or undefined to remove it. */
export interface YamlEdit {
  readonly path: readonly string[]
  readonly value: unknown
}

/** A text that is not YAML, or has an unsupported part. Its message does not quote the text, which may be secret. */
export class YamlProblem extends Error {
  constructor(
    message: string,
    readonly at: Position,
  ) {
    super(message)
  }
}

/** Messages by error code of the parser. The parser's own messages quote the text. */
const PROBLEMS: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'an alias (*) is not supported',
  BAD_DQ_ESCAPE: 'a double-quoted text has an invalid escape sequence',
  BAD_INDENT: 'the indentation is wrong',
  BAD_SCALAR_START: 'the text starts with a reserved character: put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a key is where a text is expected: put texts with ": " in quotes',
  DUPLICATE_KEY: 'the key is repeated',
  MISSING_CHAR: 'a character is missing, such as a quote, a comma, a colon or a bracket',
  MULTILINE_IMPLICIT_KEY: 'a key needs a colon on its own line',
  MULTIPLE_DOCS: 'the file holds several documents',
  TAB_AS_INDENT: 'tabs are not allowed as indentation',
  TAG_RESOLVE_FAILED: 'a tag (!) is not supported',
}

/** Parses YAML. Null for an empty file. @throws YamlProblem */
export function readYaml(text: string): YamlValue | null {
  const { document, positionOf } = parse(text)
  return document.contents === null ? null : valueIn(document.contents, positionOf)
}

/** Applies changes to a YAML text, and keeps its comments. @throws YamlProblem */
export function editYaml(text: string, edits: readonly YamlEdit[]): string {
  const { document } = parse(text)
  for (const { path, value } of edits) {
    if (value === undefined) document.deleteIn(path)
    else document.setIn(path, document.createNode(value))
  }
  return document.toString({ lineWidth: 0 })
}

function parse(text: string): { document: Document; positionOf: (offset: number) => Position } {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false })
  const positionOf = (offset: number) => {
    const { line, col } = counter.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const [problem] = [...document.errors, ...document.warnings]
  if (problem) throw new YamlProblem(PROBLEMS[problem.code] ?? 'not valid YAML', positionOf(problem.pos[0]))
  return { document, positionOf }
}

function valueIn(node: unknown, positionOf: (offset: number) => Position): YamlValue {
  const at = positionOf((node as Node).range?.[0] ?? 0)
  if (isScalar(node)) return { kind: 'scalar', value: node.value, ...at }
  if (isSeq(node)) return { kind: 'list', items: node.items.map((item) => valueIn(item, positionOf)), ...at }
  if (!isMap(node)) throw new YamlProblem('an alias (*) is not supported', at)
  const entries = node.items.map(({ key, value }): YamlEntry => {
    const keyAt = positionOf((key as Node).range?.[0] ?? 0)
    if (!isScalar(key)) throw new YamlProblem('a key must be a text', keyAt)
    const empty = { kind: 'scalar', value: null, ...keyAt } as const
    return { key: String(key.value), at: keyAt, value: value === null ? empty : valueIn(value, positionOf) }
  })
  return { kind: 'map', entries, ...at }
}
