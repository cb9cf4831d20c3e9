import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'

/** Field paths of JSON documents, each with the types seen there: `endpoints[].lease` → `null | string`. */
type Shape = Readonly<Record<string, string>>

/** Maps whose keys are values, such as status names or metadata keys. Their keys are not part of the contract. */
const MAPS = new Set([
  'metadata',
  'failures',
  'serviceConfig',
  'parameters',
  'headers',
  'trailers',
  'reconnectReasons',
])

/**
 * Compares documents with `test/e2e/golden/NAME.json`: together they must have exactly the fields of the golden file,
 * each with one of its types. `npm run goldens` only adds fields and types, because scripts rely on the existing ones.
 */
export function expectShape(name: string, ...documents: readonly unknown[]): void {
  const file = new URL(`../e2e/golden/${name}.json`, import.meta.url)
  const seen = new Map<string, Set<string>>()
  for (const document of documents) collect(document, '', seen)
  if (process.env.UPDATE_GOLDENS) add(file, seen)
  const golden = JSON.parse(readFileSync(file, 'utf8')) as Shape
  expect([...seen.keys()].sort(), `fields of ${name}`).toEqual(Object.keys(golden).sort())
  for (const [path, types] of seen) {
    const allowed = golden[path]?.split(' | ') ?? []
    for (const type of types) expect(allowed, `type of ${path} in ${name}`).toContain(type)
  }
}

/** Adds fields and types to a golden file, or creates the file. It removes nothing, so that a lost field fails. */
function add(file: URL, seen: ReadonlyMap<string, ReadonlySet<string>>): void {
  const golden: Record<string, string> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  for (const [path, types] of seen) {
    const all = new Set([...(golden[path]?.split(' | ') ?? []), ...types])
    golden[path] = [...all].join(' | ')
  }
  writeFileSync(file, `${JSON.stringify(golden, null, 2)}\n`)
}

function collect(value: unknown, path: string, seen: Map<string, Set<string>>): void {
  const type = typeOf(value)
  if (path !== '' && !path.endsWith('[]')) seen.set(path, (seen.get(path) ?? new Set()).add(type))
  const name = path.slice(path.lastIndexOf('.') + 1)
  if (Array.isArray(value)) for (const element of value) collect(element, `${path}[]`, seen)
  else if (type === 'object' && !MAPS.has(name)) {
    for (const [field, inner] of Object.entries(value as object)) {
      collect(inner, path === '' ? field : `${path}.${field}`, seen)
    }
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
