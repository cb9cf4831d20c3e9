import { readJson } from '../../config/json-tree.js'
import { entriesOf, problemAt, unknownKey } from '../../config/settings.js'
import { readTree } from '../../config/text-file.js'
import { type Position, YamlProblem, type YamlValue } from '../../config/yaml.js'
import type { DiscoError } from '../../domain/errors.js'
import { layoutNamed } from '../../domain/layouts/index.js'
import { rootPrefix } from '../../domain/layouts/root.js'
import { type EndpointEntry, REGISTRY_FILE_SCHEMA, type RegistryFileDoc } from '../../domain/registry-file.js'

/** An entry of a file, with its position. A file written by hand may omit all fields except service and address. */
export interface PlacedEntry extends Omit<Partial<EndpointEntry>, 'value' | 'valueBase64'> {
  readonly service: string
  readonly addr: string
  readonly value?: Buffer
  readonly at: Position
}

/** The contents of a registry file. */
export interface RegistryFile extends Pick<RegistryFileDoc, 'rev' | 'root' | 'selection'> {
  /** Its name in messages. */
  readonly name: string
  /** At least one. */
  readonly entries: readonly PlacedEntry[]
}

/** Maximum length of a YAML text, in characters. The YAML library takes a second for 3,000 endpoints. */
const MAX_YAML = 16 * 1024 * 1024

/**
 * Reads a registry file, YAML or JSON.
 *
 * @param name the file's name, for messages
 * @throws DiscoError USAGE with file, line and column
 */
export function readRegistryFile(text: string, name: string): RegistryFile {
  const source = { file: name, folder: '' }
  const tree = treeOf(text, name)
  const start = { line: 1, column: 1 }
  if (tree === null) throw problemAt(source, start, 'the file is empty', [EXAMPLE])
  const head = new Members(tree, 'the file', name, ['schema', 'rev', 'root', 'selection', 'endpoints'])
  const schema = head.get('schema')
  if (schema?.kind !== 'scalar' || schema.value !== REGISTRY_FILE_SCHEMA) {
    throw problemAt(source, schema ?? start, `the file needs "schema: ${REGISTRY_FILE_SCHEMA}"`, [EXAMPLE])
  }
  const list = head.get('endpoints')
  if (list?.kind !== 'list')
    throw problemAt(source, list ?? tree, 'endpoints must be a list of endpoints', [EXAMPLE])
  if (list.items.length === 0) throw problemAt(source, list, 'the file has no endpoint')
  return {
    name,
    rev: head.text('rev') ?? null,
    root: rootPrefix(head.text('root') ?? ''),
    selection: head.text('selection') ?? null,
    entries: list.items.map((item) => entryOf(item, name)),
  }
}

const EXAMPLE = 'disco export writes such a file'

function treeOf(text: string, name: string): YamlValue | null {
  try {
    const json = /^\s*\{/.test(text) ? readJson(text) : null
    if (json !== null) return json
  } catch (thrown) {
    if (thrown instanceof YamlProblem) throw problemAt({ file: name }, thrown.at, thrown.message)
    throw thrown
  }
  if (text.length > MAX_YAML) {
    throw problemAt({ file: name }, { line: 1, column: 1 }, `YAML is read up to ${MAX_YAML} characters`, [
      'Longer files are read as JSON: disco export -o json',
    ])
  }
  try {
    return readTree(name, text)
  } catch (thrown) {
    // The parser is recursive.
    if (!(thrown instanceof RangeError)) throw thrown
    throw problemAt({ file: name }, { line: 1, column: 1 }, 'it is nested too deeply')
  }
}

const ENTRY_KEYS = [
  'service',
  'addr',
  'version',
  'weight',
  'metadata',
  'id',
  'layout',
  'key',
  'leased',
  'grantedTtlSeconds',
  'problem',
  'value',
  'valueBase64',
]

function entryOf(item: YamlValue, file: string): PlacedEntry {
  const members = new Members(item, 'an endpoint', file, ENTRY_KEYS)
  const at = { line: item.line, column: item.column }
  const required = (name: string) => {
    const text = members.text(name)
    if (text) return text
    throw problemAt({ file }, members.get(name) ?? at, `the endpoint has no ${name}`)
  }
  const layout = members.text('layout')
  const layoutAt = members.get('layout')
  if (layout !== undefined && layoutAt) named(layout, file, layoutAt)
  const entry = {
    service: required('service'),
    addr: required('addr'),
    version: members.text('version'),
    weight: members.weight(),
    metadata: members.texts('metadata'),
    id: members.text('id'),
    layout,
    key: members.text('key'),
    leased: members.flag('leased'),
    grantedTtlSeconds: members.ttl(),
    value: members.bytes(),
    at,
  }
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined)) as PlacedEntry &
    object
}

/** Checks the name of a layout. @throws DiscoError USAGE with file, line and column */
function named(layout: string, file: string, { line, column }: Position): void {
  layoutNamed(layout, `${file}:${line}:${column}`)
}

/** The members of a map, read with the types of the schema. */
class Members {
  private readonly members = new Map<string, YamlValue>()

  constructor(
    tree: YamlValue,
    what: string,
    private readonly file: string,
    known: readonly string[],
  ) {
    const source = { file, folder: '' }
    for (const { key, at, value } of entriesOf(tree, what, source)) {
      if (!known.includes(key)) throw unknownKey(key, at, known, source)
      this.members.set(key, value)
    }
  }

  /** A member; undefined if it is absent or null. */
  get(name: string): YamlValue | undefined {
    const value = this.members.get(name)
    return value?.kind === 'scalar' && value.value === null ? undefined : value
  }

  text(name: string): string | undefined {
    const value = this.get(name)
    return value && this.textIn(value, name)
  }

  flag(name: string): boolean | undefined {
    const value = this.get(name)
    if (value === undefined) return undefined
    if (value.kind === 'scalar' && typeof value.value === 'boolean') return value.value
    throw this.problem(value, `${name} must be true or false`)
  }

  /** Undefined if the file has no weight. Null if it has null, as exported for a layout that carries no weight. */
  weight(): number | null | undefined {
    const value = this.members.get('weight')
    if (value === undefined) return undefined
    const weight = value.kind === 'scalar' ? value.value : undefined
    if (weight === null) return null
    const isNumber = typeof weight === 'number' && Number.isFinite(weight) && weight >= 0
    if (isNumber && !(Number.isInteger(weight) && !Number.isSafeInteger(weight))) return weight + 0
    throw this.problem(value, 'weight must be a number of 0 or more')
  }

  ttl(): number | undefined {
    const value = this.get('grantedTtlSeconds')
    if (value === undefined) return undefined
    const ttl = value.kind === 'scalar' ? value.value : undefined
    if (typeof ttl === 'number' && Number.isSafeInteger(ttl) && ttl > 0) return ttl
    throw this.problem(value, 'grantedTtlSeconds must be a whole number above 0')
  }

  texts(name: string): Readonly<Record<string, string>> | undefined {
    const value = this.get(name)
    if (value === undefined) return undefined
    if (value.kind !== 'map') throw this.problem(value, `${name} must be a map of texts`)
    return Object.fromEntries(value.entries.map((one) => [one.key, this.textIn(one.value, one.key)]))
  }

  /** The stored value, given as text or in base64. */
  bytes(): Buffer | undefined {
    const [text, base64] = [this.text('value'), this.text('valueBase64')]
    if (base64 === undefined) return text === undefined ? undefined : Buffer.from(text)
    const at = this.get('valueBase64')
    const bytes = Buffer.from(base64, 'base64')
    if (text === undefined && bytes.toString('base64') === base64) return bytes
    const problem =
      text === undefined ? 'valueBase64 is not base64' : 'value and valueBase64 exclude each other'
    throw this.problem(at ?? { line: 1, column: 1 }, problem)
  }

  private textIn(value: YamlValue, name: string): string {
    if (value.kind === 'scalar' && typeof value.value === 'string') return value.value
    throw this.problem(value, `${name} must be a text${value.kind === 'scalar' ? ': put it in quotes' : ''}`)
  }

  private problem(at: Position, text: string): DiscoError {
    return problemAt({ file: this.file }, at, text)
  }
}
