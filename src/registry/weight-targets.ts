import { type Endpoint, isReadable } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { layoutNamed } from '../domain/layouts/index.js'
import { weightsAreUnset } from '../domain/shares.js'
import { type EndpointSelection, isBulk, matchEndpoints, selectEndpoints } from './selection.js'

/** An endpoint that a weight change of several endpoints leaves out, and the reason. */
export interface LeftOut {
  readonly endpoint: Endpoint
  /** `changed`: it was written since it was selected, and no longer matches. */
  readonly reason: 'drained' | 'unreadable' | 'weightless' | 'gone' | 'changed'
  /** A clause for messages. */
  readonly text: string
}

/** The selection of endpoints for a weight change. */
export interface Targets {
  readonly service: readonly Endpoint[]
  readonly selected: readonly Endpoint[]
  readonly leftOut: readonly LeftOut[]
  /**
   * Checks the current endpoints of one selected key: the reason to leave them out; null if they are still selected.
   */
  recheck(now: readonly Endpoint[]): Reason | null
}

type Reason = Pick<LeftOut, 'reason' | 'text'>

const CHANGED: Reason = { reason: 'changed', text: 'it was changed meanwhile, and is no longer selected' }

/**
 * Chooses the endpoints of a weight change. A change of all endpoints that meet conditions leaves out unreadable
 * values, layouts without weights and, unless `drained` is set, endpoints at weight 0, which were drained on purpose.
 * If every weight of the service is 0, weights are unset and no endpoint counts as drained.
 *
 * @throws DiscoError NOT_FOUND; CONFLICT if several keys have the address, if a named endpoint cannot carry a weight,
 *   or if no endpoint is left to change
 */
export function chooseTargets(
  service: readonly Endpoint[],
  selection: EndpointSelection,
  { drained = false }: { drained?: boolean | undefined },
): Targets {
  const matches = selectEndpoints(service, selection)
  if (!isBulk(selection)) {
    for (const { key, layout } of matches) {
      const { weightless } = layoutNamed(layout)
      if (weightless !== null) throw cannotCarry(key, weightless)
    }
    const recheck = (now: readonly Endpoint[]) => (matchEndpoints(now, selection).length > 0 ? null : CHANGED)
    return { service, selected: matches, leftOut: changedOf(service, selection, matches), recheck }
  }
  const mayBeDrained = !drained && !weightsAreUnset(service)
  const selected: Endpoint[] = []
  const leftOut: LeftOut[] = changedOf(service, selection, matches)
  for (const endpoint of matches) {
    const reason = reasonToLeaveOut(endpoint, mayBeDrained)
    if (reason === null) selected.push(endpoint)
    else leftOut.push({ endpoint, ...reason })
  }
  if (selected.length === 0) throw nothingToChange(leftOut)
  const recheck = (now: readonly Endpoint[]) => {
    const [match] = matchEndpoints(now, selection)
    return match ? reasonToLeaveOut(match, mayBeDrained) : CHANGED
  }
  return { service, selected, leftOut, recheck }
}

/** Endpoints of the selection's keys that no longer match its conditions. */
function changedOf(
  service: readonly Endpoint[],
  { keys = [] }: EndpointSelection,
  matches: readonly Endpoint[],
): LeftOut[] {
  const others = new Set(keys)
  for (const { key } of matches) others.delete(key)
  return service.filter(({ key }) => others.has(key)).map((endpoint) => ({ endpoint, ...CHANGED }))
}

function reasonToLeaveOut(endpoint: Endpoint, mayBeDrained: boolean): Reason | null {
  const { weightless } = layoutNamed(endpoint.layout)
  if (weightless !== null) return { reason: 'weightless', text: weightless }
  const { problem, weight } = endpoint
  if (problem && !isReadable(endpoint)) return { reason: 'unreadable', text: problem.text }
  if (mayBeDrained && weight === 0) return { reason: 'drained', text: 'weight 0' }
  return null
}

/** The error for a value that cannot carry a weight. @param why a clause for messages */
export function cannotCarry(key: string, why: string, cause?: unknown): DiscoError {
  return new DiscoError('CONFLICT', `The value of ${key} cannot carry a weight: ${why}`, { cause })
}

/** The error if all selected endpoints are left out. @param leftOut all of them */
export function nothingToChange(leftOut: readonly LeftOut[]): DiscoError {
  const [first] = leftOut
  const changed = leftOut.find(({ reason }) => reason === 'changed')
  if (changed) return new DiscoError('CONFLICT', `${changed.endpoint.key}: ${changed.text}`)
  const isDrained = leftOut.some(({ reason }) => reason === 'drained')
  if (!isDrained && first) return cannotCarry(first.endpoint.key, first.text)
  return new DiscoError('CONFLICT', 'Every endpoint that this would change is drained (weight 0)', {
    suggestions: ['To give drained endpoints a weight as well, add --drained'],
  })
}
