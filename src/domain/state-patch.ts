import type { Endpoint } from './endpoint.js'
import { carriedFields } from './endpoint-fields.js'

/** An operation of a JSON patch (RFC 6902). */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }

/** A JSON object that contains other objects. */
interface Tree {
  readonly [name: string]: unknown
}

/**
 * A state of a registry as a JSON document: services by name, their endpoints by `ADDRESS VERSION`, and the fields of
 * each endpoint that are not null. A second endpoint with the same address and version gets the suffix ` #2`.
 *
 * @param isKnown whether the document contains a field
 */
export function stateDoc(
  endpoints: readonly Endpoint[],
  isKnown: (field: string) => boolean = () => true,
): Tree {
  const services = new Map<string, Map<string, Tree>>()
  const byKey = [...endpoints].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  for (const endpoint of byKey) {
    const service = services.get(endpoint.service) ?? new Map<string, Tree>()
    services.set(endpoint.service, service)
    const fields = [...carriedFields(endpoint)].filter(([field, value]) => value !== null && isKnown(field))
    service.set(freeName(endpoint, service), Object.fromEntries(fields))
  }
  return Object.fromEntries([...services].map(([name, service]) => [name, Object.fromEntries(service)]))
}

function freeName({ addr, version }: Endpoint, taken: ReadonlyMap<string, unknown>): string {
  const name = version === '' ? addr : `${addr} ${version}`
  for (let number = 1; ; number++) {
    const numbered = number === 1 ? name : `${name} #${number}`
    if (!taken.has(numbered)) return numbered
  }
}

/** The operations that turn one state into another. The value of a field is replaced as a whole. */
export function patchBetween(from: Tree, to: Tree): PatchOperation[] {
  return operationsIn(from, to, '', 0)
}

/** The depth of a field's value: below a service and an endpoint. */
const VALUE_DEPTH = 3

function operationsIn(from: Tree, to: Tree, path: string, depth: number): PatchOperation[] {
  const removed = Object.keys(from).filter((name) => !Object.hasOwn(to, name))
  const operations: PatchOperation[] = removed.map((name) => ({ op: 'remove', path: pointer(path, name) }))
  for (const [name, value] of Object.entries(to)) {
    const own = pointer(path, name)
    if (!Object.hasOwn(from, name)) operations.push({ op: 'add', path: own, value })
    else if (depth + 1 < VALUE_DEPTH)
      operations.push(...operationsIn(from[name] as Tree, value as Tree, own, depth + 1))
    else if (JSON.stringify(from[name]) !== JSON.stringify(value))
      operations.push({ op: 'replace', path: own, value })
  }
  return operations
}

/** A JSON pointer (RFC 6901). */
function pointer(path: string, name: string): string {
  return `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
