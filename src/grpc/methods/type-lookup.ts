import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt'
import { type ExactJson, isArray, isObject } from '../../domain/exact-json.js'
import type { ReflectionQuestion } from './reflection-protocol.js'
import type { Types } from './types.js'

/** Fetches the files with some types or extensions, except for known files. Never rejects. */
export type FetchFiles = (
  questions: readonly ReflectionQuestion[],
  known: readonly FileDescriptorProto[],
) => Promise<readonly FileDescriptorProto[]>

/**
 * Finds types that messages contain, but that the services' files do not import: types in an Any, and extensions. Each
 * is requested once.
 */
export class TypeLookup {
  private readonly requested = new Set<string>()
  private ask: FetchFiles | null = null

  constructor(private readonly types: Types) {}

  /** Sets the source of unknown types. Without a source, nothing is requested. */
  fetchWith(ask: FetchFiles): void {
    this.ask = ask
  }

  /** Whether some of the questions can still be asked. */
  canFetch(questions: readonly ReflectionQuestion[]): boolean {
    return this.ask !== null && questions.some((question) => !this.requested.has(JSON.stringify(question)))
  }

  /** Fetches unknown types. @returns whether any was added; others stay unknown */
  async find(questions: readonly ReflectionQuestion[]): Promise<boolean> {
    const unrequested = questions.filter((question) => !this.requested.has(JSON.stringify(question)))
    if (!this.ask || unrequested.length === 0) return false
    for (const question of unrequested) this.requested.add(JSON.stringify(question))
    const files = await this.ask(unrequested, this.types.sources)
    if (files.length === 0) return false
    try {
      this.types.add(files)
      return true
    } catch {
      // A description that contradicts itself: the value is shown as its bytes.
      return false
    }
  }
}

/** Questions for unknown types of Anys and unknown extensions that JSON names. */
export function namedTypes(json: ExactJson, types: Types): readonly ReflectionQuestion[] {
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

function nameIn(name: string, member: ExactJson): string | undefined {
  if (name === '@type')
    return typeof member === 'string' ? member.slice(member.lastIndexOf('/') + 1) : undefined
  return /^\[([\w.]+)\]$/.exec(name)?.[1]
}
