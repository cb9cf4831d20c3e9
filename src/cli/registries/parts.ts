import { requireChosen } from '../../domain/endpoint-filter.js'
import { DiscoError } from '../../domain/errors.js'
import type { OpenRegistries, OpenRegistry } from '../base-command.js'
import { requireRegistered, type Scope } from '../flags/target.js'
import type { Palette } from '../terminal/color.js'
import { age, count } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'
import type { RegistryDoc, ResolvedRegistryDoc } from './document.js'

/** The result of reading a registry: what was read, or the error. */
export interface RegistryPart<Read> {
  /** Null if there is only one registry. */
  readonly registry: string | null
  readonly read: Read | DiscoError
}

/** A part that was read. */
export interface ReadPart<Read> extends RegistryPart<Read> {
  readonly read: Read
}

/**
 * Reads each registry. If one of several registries is unreachable or denies access, its part contains the error.
 *
 * @throws every error of a single registry; with several registries, any error except ETCD_UNREACHABLE and ETCD_DENIED
 */
export async function readEach<Read>(
  registries: readonly OpenRegistry[],
  read: (open: OpenRegistry) => Promise<Read>,
): Promise<RegistryPart<Read>[]> {
  return await Promise.all(
    registries.map(async (open) => {
      if (open.origin === null) return { registry: null, read: await read(open) }
      const { registry } = open.origin
      return { registry, read: await read(open).catch(errorIfAway) }
    }),
  )
}

/** The error of a registry that is unreachable or denies access. @throws any other error */
function errorIfAway(thrown: unknown): DiscoError {
  const error = DiscoError.from(thrown)
  if (error.code === 'ETCD_UNREACHABLE' || error.code === 'ETCD_DENIED') return error
  throw error
}

/**
 * The parts that were read.
 *
 * @throws DiscoError that names all registries, if no registry was read
 */
export function partsRead<Read>(
  parts: readonly RegistryPart<Read>[],
): readonly [ReadPart<Read>, ...ReadPart<Read>[]] {
  const [first, ...more] = parts.flatMap(({ registry, read }) =>
    read instanceof DiscoError ? [] : [{ registry, read }],
  )
  if (first) return [first, ...more]
  throw noneReadable(
    parts.flatMap(({ registry, read }) => (read instanceof DiscoError ? [[registry, read] as const] : [])),
  )
}

/** The error if no registry can be read. For a single registry, it is the error of that registry. */
export function noneReadable(causes: Iterable<readonly [string | null | undefined, DiscoError]>): DiscoError {
  const [first, ...more] = causes
  if (!first) return new DiscoError('INTERNAL', 'No registry was read')
  const [only, cause] = first
  if (more.length === 0 && (only ?? null) === null) return cause
  const all = [first, ...more]
  const names = all.map(([registry]) => registry).join(', ')
  const reasons = all.map(([registry, { message }]) => `${registry}: ${message}`).join('; ')
  return new DiscoError(cause.code, `None of the registries ${names} can be read: ${reasons}`, {
    suggestions: [...new Set(all.flatMap(([, { suggestions }]) => suggestions))],
    cause,
  })
}

/** A sentence for each missing part, with the reason. */
export function missingParts(parts: readonly RegistryPart<unknown>[]): string[] {
  return parts.flatMap(({ registry, read }) =>
    read instanceof DiscoError ? [`${registry} is left out: ${read.message}`] : [],
  )
}

/** The state of each registry; undefined if there is only one. */
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
 * Checks that at least one registry has an endpoint of a service.
 *
 * @throws DiscoError NOT_FOUND with the nearest names of each registry; ETCD_UNREACHABLE or ETCD_DENIED if a registry
 *   could not be read, since it may have an endpoint
 */
export async function requireExisting(registries: OpenRegistries, service: string): Promise<void> {
  const [{ registry: only, origin }] = registries
  if (origin === null) {
    await only.listExisting(service)
    return
  }
  const absentFrom = new Map<string | undefined, DiscoError>()
  const parts = await readEach(registries, async ({ registry, origin }) => {
    try {
      await registry.listExisting(service)
      return true
    } catch (thrown) {
      const { code, message, suggestions } = DiscoError.from(thrown)
      if (code !== 'NOT_FOUND') throw thrown
      const absence = new DiscoError(code, `${origin?.registry}: ${message}`, { suggestions, cause: thrown })
      absentFrom.set(origin?.registry, absence)
      return false
    }
  })
  if (parts.some(({ read }) => read === true)) return
  partsRead(parts)
  // In the order in which they were named.
  const absences = registries.flatMap(({ origin }) => absentFrom.get(origin?.registry) ?? [])
  const suggestions = new Set(absences.flatMap(({ suggestions }) => suggestions))
  const message = absences.map(({ message }) => message).join('; ')
  throw absenceIn(parts, new DiscoError('NOT_FOUND', message, { suggestions: [...suggestions] }))
}

/**
 * The error if no registry that was read has the wanted item. If a registry could not be read, the code of its error
 * replaces NOT_FOUND, because that registry may have the item.
 *
 * @param thrown NOT_FOUND; any other error is returned unchanged
 */
export function absenceIn(parts: readonly RegistryPart<unknown>[], thrown: unknown): DiscoError {
  const absence = DiscoError.from(thrown)
  const [away] = parts.flatMap(({ read }) => (read instanceof DiscoError ? [read] : []))
  if (absence.code !== 'NOT_FOUND' || !away) return absence
  const message = `${missingParts(parts).join('; ')}; among the others: ${absence.message}`
  const suggestions = [...new Set([...away.suggestions, ...absence.suggestions])]
  return new DiscoError(away.code, message, { suggestions, cause: absence })
}

/** As `requireChosen`, for the endpoints of the parts that were read. @throws DiscoError as {@link absenceIn} */
export function requireChosenIn(
  parts: readonly RegistryPart<unknown>[],
  ...chosen: Parameters<typeof requireChosen>
): void {
  try {
    requireChosen(...chosen)
  } catch (thrown) {
    throw absenceIn(parts, thrown)
  }
}

/** Checks like `requireRegistered`; at least one of several registries must have the addresses. */
export async function requireRegisteredIn(
  registries: OpenRegistries,
  scope: Scope<string | undefined>,
  revision?: number,
): Promise<void> {
  const refusals: DiscoError[] = []
  for (const { registry } of registries) {
    try {
      await requireRegistered(registry, scope, revision)
      return
    } catch (thrown) {
      refusals.push(DiscoError.from(thrown))
    }
  }
  // A registry that was not read may have the addresses.
  throw refusals.find(({ code }) => code !== 'USAGE') ?? refusals[0]
}

/** A line for each of several registries: its priority or weight, and the state of its list. */
export function registryLines(registries: readonly ResolvedRegistryDoc[], palette: Palette): string[] {
  const isRatio = registries.every(({ priority }) => priority === 0)
  const width = Math.max(0, ...registries.map(({ registry }) => registry.length))
  return registries.map(({ registry, priority, weight, rev, endpoints, ageMs, problem }) => {
    const part = isRatio ? `weight ${weight}` : `priority ${priority}`
    const list = rev === null ? 'no list' : `${count(endpoints, 'endpoint')}, rev ${rev}`
    const cached = ageMs === 0 ? '' : ` from the cache, seen ${age(ageMs)} ago`
    const line = `${registry.padEnd(width)}  ${part}, ${list}${cached}`
    return problem === null ? line : palette.yellow(`${line}  ! STALE: ${visible(problem)}`)
  })
}

/** Refuses a service without endpoints. @throws DiscoError USAGE if the arguments are METHOD SERVICE, else NOT_FOUND */
export async function refuseSwappedMethod(
  registries: OpenRegistries,
  service: string,
  method: string | undefined,
): Promise<void> {
  const [{ registry, origin }] = registries
  if (origin === null && method !== undefined && (await registry.list(method)).endpoints.length > 0) {
    const { endpoints } = await registry.list(service)
    if (endpoints.length === 0) {
      throw new DiscoError('USAGE', 'The arguments are swapped: the service comes before the method', {
        suggestions: [`Try: disco call ${method} ${service}`],
      })
    }
  }
  await requireExisting(registries, service)
}
