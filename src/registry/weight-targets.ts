import { type Endpoint, isReadable } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { layoutNamed } from '../domain/layouts/index.js'
import { weightsAreUnset } from '../domain/shares.js'
import { type EndpointSelection, isBulk, matchEndpoints, selectEndpoints } from './selection.js'

/** An endpoint that a change of several leaves unchanged, and why. */
export interface LeftOut {
  readonly endpoint: Endpoint
  /** `changed`: it was written since it was selected, and is no longer. */
  readonly reason: 'drained' | 'unreadable' | 'weightless' | 'gone' | 'changed'
  /** A clause for messages. */
  readonly text: string
}

/** The selection of endpoints for a weight change. */
export interface Targets {
  readonly service: readonly Endpoint[]
  readonly selected: readonly Endpoint[]
  readonly leftOut: readonly LeftOut[]
  /** Chooses again among the endpoints of one key as they are now: why to leave them out, or null. */
  recheck(now: readonly Endpoint[]): Reason | null
}

type Reason = Pick<LeftOut, 'reason' | 'text'>

const CHANGED: Reason = { reason: 'changed', text: 'it was changed meanwhile, and is no longer selected' }

/**
 * Chooses the endpoints that a weight change is for. If it is for all of a service (or of a version), it
 * leaves out what it cannot or should not change: a value that cannot be read, a layout without a place for a
 * weight, and, unless `drained`, endpoints at weight 0, which were drained on purpose. If every weight of
 * the service is 0, weights are unset and nothing is drained.
 *
 * @throws DiscoError NOT_FOUND; CONFLICT when several keys have the address, when the one endpoint
 *   that is meant cannot carry a weight, or when nothing is left to change
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

/** @param why a clause for messages */
export function cannotCarry(key: string, why: string, cause?: unknown): DiscoError {
  return new DiscoError('CONFLICT', `The value of ${key} cannot carry a weight: ${why}`, { cause })
}

/** @param leftOut what a selection consists of */
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
