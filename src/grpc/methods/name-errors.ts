import type { DescService } from '@bufbuild/protobuf'
import { DiscoError } from '../../domain/errors.js'
import { didYouMean } from '../../domain/nearest.js'
import { fullName } from './method.js'

/** The schema in which a name was searched, for messages. */
export interface Searched {
  readonly services: readonly DescService[]
  /** The source of the schema, as a sentence. */
  readonly source: string
  /** The missing services and types, one sentence each. */
  readonly gaps: readonly string[]
}

/**
 * The error for an unknown method.
 *
 * @param name the name as the user gave it
 * @param matching the services that match the service in `name`; all services if `name` does not contain a service
 */
export function noSuchMethod(
  name: string,
  matching: readonly DescService[],
  { services, source, gaps }: Searched,
): DiscoError {
  const [only] = matching.length === 1 ? matching : []
  const candidates = matching.length > 0 ? matching : services
  const names = candidates.flatMap(({ methods }) =>
    methods.map((method) => (only ? method.name : fullName(method))),
  )
  const bare = name.slice(Math.max(name.lastIndexOf('.'), name.lastIndexOf('/')) + 1)
  return new DiscoError(
    'NOT_FOUND',
    only ? `${only.typeName} has no method "${bare}"` : `Unknown method "${name}"`,
    {
      suggestions: [
        ...didYouMean(only ? bare : name, names),
        `Available: ${listed(names) || 'none'}. ${source}`,
        ...gaps,
      ],
    },
  )
}

/** The error for an unknown schema element. @param types full names of all types that can be described */
export function noSuchName(
  name: string,
  types: readonly string[],
  { services, source, gaps }: Searched,
): DiscoError {
  const own = services.flatMap(({ typeName, methods }) => [typeName, ...methods.map(fullName)])
  const bare = name.slice(name.lastIndexOf('.') + 1)
  const bareNames = new Map(types.map((type) => [type.slice(type.lastIndexOf('.') + 1), type]))
  const nearest = [...didYouMean(name, [...types, ...own]), ...didYouMean(bare, [...bareNames.keys()])]
  return new DiscoError('NOT_FOUND', `Unknown method, service or type "${name}"`, {
    suggestions: [...nearest.slice(0, 1), `Available: ${listed(own) || 'nothing'}. ${source}`, ...gaps],
  })
}

/** The error for an ambiguous name. @param names the full names that match */
export function ambiguous(what: string, names: readonly string[]): DiscoError {
  return new DiscoError('USAGE', what, { suggestions: [`Name one: ${listed(names)}`] })
}

/** Maximum number of names in a list of suggestions. */
const MAX_NAMES = 40

function listed(names: readonly string[]): string {
  const more = names.length - MAX_NAMES
  return names.slice(0, MAX_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
