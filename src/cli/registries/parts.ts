import { DiscoError } from '../../domain/errors.js'
import type { OpenRegistries, OpenRegistry } from '../base-command.js'
import { requireRegistered, type Scope } from '../flags/target.js'
import type { RegistryDoc } from './document.js'

/** What was read from one of several registries, or why nothing was. */
export interface RegistryPart<Read> {
  /** Null for the only registry. */
  readonly registry: string | null
  readonly read: Read | DiscoError
}

/** A part that was read. */
export interface ReadPart<Read> extends RegistryPart<Read> {
  readonly read: Read
}

/**
 * Reads each registry. One of several that is unreachable, or denies, leaves its part to the others.
 *
 * @throws what reading the only registry throws; of several, any other error
 */
export async function readEach<Read>(
  registries: readonly OpenRegistry[],
  read: (open: OpenRegistry) => Promise<Read>,
): Promise<RegistryPart<Read>[]> {
  return await Promise.all(
    registries.map(async (open) => {
      if (open.origin === null) return { registry: null, read: await read(open) }
      const { registry } = open.origin
      return { registry, read: await read(open).catch(unlessAway) }
    }),
  )
}

function unlessAway(thrown: unknown): DiscoError {
  const error = DiscoError.from(thrown)
  if (error.code === 'ETCD_UNREACHABLE' || error.code === 'ETCD_DENIED') return error
  throw error
}

/**
 * The parts that were read.
 *
 * @throws DiscoError that names all registries, where none was read
 */
export function partsRead<Read>(
  parts: readonly RegistryPart<Read>[],
): readonly [ReadPart<Read>, ...ReadPart<Read>[]] {
  const [first, ...more] = parts.flatMap(({ registry, read }) =>
    read instanceof DiscoError ? [] : [{ registry, read }],
  )
  if (first) return [first, ...more]
  const errors = parts.flatMap(({ read }) => (read instanceof DiscoError ? [read] : []))
  const reasons = parts.map(({ registry, read }) => `${registry}: ${(read as DiscoError).message}`)
  const names = parts.map(({ registry }) => registry).join(', ')
  const code = errors[0]?.code ?? 'INTERNAL'
  throw new DiscoError(code, `None of the registries ${names} can be read: ${reasons.join('; ')}`, {
    suggestions: [...new Set(errors.flatMap(({ suggestions }) => suggestions))],
    cause: errors[0],
  })
}

/** Why parts are missing, a sentence each. */
export function missingParts(parts: readonly RegistryPart<unknown>[]): string[] {
  return parts.flatMap(({ registry, read }) =>
    read instanceof DiscoError ? [`${registry} is left out: ${read.message}`] : [],
  )
}

/** The state of each of several registries; undefined for the only one. */
export function registryDocs(
  parts: readonly RegistryPart<{ readonly rev: string }>[],
): readonly RegistryDoc[] | undefined {
  const docs = parts.flatMap(({ registry, read }) => {
    if (registry === null) return []
    return read instanceof DiscoError
      ? { registry, rev: null, problem: read.message }
      : { registry, rev: read.rev, problem: null }
  })
  return docs.length === 0 ? undefined : docs
}

/**
 * For a service without endpoints in any registry that could be read.
 *
 * @throws DiscoError NOT_FOUND with the nearest names of the first registry that has none, ETCD_UNREACHABLE or
 *   ETCD_DENIED where none answers; returns where one has an endpoint by now
 */
export async function requireExisting(registries: OpenRegistries, service: string): Promise<void> {
  const errors: DiscoError[] = []
  for (const { registry, origin } of registries) {
    try {
      await registry.listExisting(service)
      return
    } catch (thrown) {
      if (origin === null) throw thrown
      const { code, message, suggestions } = DiscoError.from(thrown)
      errors.push(new DiscoError(code, `${origin.registry}: ${message}`, { suggestions, cause: thrown }))
    }
  }
  throw errors.find(({ code }) => code === 'NOT_FOUND') ?? errors[0]
}

/** As `requireRegistered`; of several registries one must have the addresses. */
export async function requireRegisteredIn(
  registries: OpenRegistries,
  scope: Scope<string | undefined>,
): Promise<void> {
  const refusals: unknown[] = []
  for (const { registry } of registries) {
    try {
      await requireRegistered(registry, scope)
      return
    } catch (thrown) {
      refusals.push(thrown)
    }
  }
  throw refusals[0]
}
