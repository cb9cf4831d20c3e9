import { requireChosen } from '../../domain/endpoint-filter.js'
import { DiscoError } from '../../domain/errors.js'
import type { OpenRegistries, OpenRegistry } from '../base-command.js'
import { requireRegistered, type Scope } from '../flags/target.js'
import type { Palette } from '../terminal/color.js'
import { age, count } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'
import type { RegistryDoc, ResolvedRegistryDoc } from './document.js'

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
 * Reads each registry. If one of several is unreachable or denies access, its part is the error.
 *
 * @throws every error of the only registry; with several, every error but ETCD_UNREACHABLE and ETCD_DENIED
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
 * @throws DiscoError that names all registries, if none was read
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

/** The error if no registry can be read; for the only registry, its own error. */
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
 * Refuses a service without endpoints in any registry that could be read. Returns if one has an endpoint by now.
 *
 * @throws DiscoError NOT_FOUND with the nearest names of each registry; ETCD_UNREACHABLE or ETCD_DENIED if one of
 *   them was not read
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
 * The error if no registry that was read has the wanted item. If a registry was not read, its code replaces NOT_FOUND,
 * because the item may be there.
 *
 * @param thrown NOT_FOUND; other errors stay as they are
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

/** A line for each of several registries: its part in the balancing, and the state of its list. */
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

/** Why a service without endpoints cannot be called. @throws DiscoError NOT_FOUND; USAGE for `call METHOD SERVICE` */
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
