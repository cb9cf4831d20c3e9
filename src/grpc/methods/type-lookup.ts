import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt'
import { type ExactJson, isArray, isObject } from '../../domain/exact-json.js'
import type { ReflectionRequest } from './reflection-protocol.js'
import type { Types } from './types.js'

/**
 * Fetches the files that define types or extensions, with their imports. Files in `known` are not fetched. Never
 * rejects: the result is empty if the files cannot be fetched.
 */
export type FetchFiles = (
  questions: readonly ReflectionRequest[],
  known: readonly FileDescriptorProto[],
) => Promise<readonly FileDescriptorProto[]>

/**
 * Fetches types that messages contain, but that the files of the services do not import: types in an Any, and
 * extensions. Each type is requested only once.
 */
export class TypeLookup {
  private readonly requested = new Set<string>()
  private ask: FetchFiles | null = null

  constructor(private readonly types: Types) {}

  /** Sets the source of unknown types. Before this call, no requests are sent. */
  fetchWith(ask: FetchFiles): void {
    this.ask = ask
  }

  /** Whether `find` would send any of these requests. */
  canFetch(questions: readonly ReflectionRequest[]): boolean {
    return this.ask !== null && questions.some((question) => !this.requested.has(JSON.stringify(question)))
  }

  /** Fetches unknown types and adds them to the known types. @returns whether types were added */
  async find(questions: readonly ReflectionRequest[]): Promise<boolean> {
    const unrequested = questions.filter((question) => !this.requested.has(JSON.stringify(question)))
    if (!this.ask || unrequested.length === 0) return false
    for (const question of unrequested) this.requested.add(JSON.stringify(question))
    const files = await this.ask(unrequested, this.types.sources)
    if (files.length === 0) return false
    try {
      this.types.add(files)
      return true
    } catch {
      // The file descriptors are inconsistent: the type stays unknown, and its values are shown as bytes.
      return false
    }
  }
}

/** Reflection requests for the unknown types that JSON names: in the `@type` of an Any, or as an extension. */
export function namedTypes(json: ExactJson, types: Types): readonly ReflectionRequest[] {
  const names = new Set<string>()
  const pending: ExactJson[] = [json]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (isArray(next)) pending.push(...next)
    else if (isObject(next)) {
      for (const [name, member] of Object.entries(next)) {
        const named = nameIn(name, member)
        if (named !== undefined && types.get(named) === undefined) names.add(named)
        pending.push(member)
      }
    }
  }
  return [...names].map((fileContainingSymbol) => ({ fileContainingSymbol }))
}

/** The full name in `"@type": "…/NAME"` or `"[NAME]": …`; undefined for any other member. */
function nameIn(name: string, member: ExactJson): string | undefined {
  if (name === '@type')
    return typeof member === 'string' ? member.slice(member.lastIndexOf('/') + 1) : undefined
  return /^\[([\w.]+)\]$/.exec(name)?.[1]
}
