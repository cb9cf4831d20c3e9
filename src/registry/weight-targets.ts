import { type Endpoint, isReadable } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { layoutNamed } from '../domain/layouts/index.js'
import { weightsAreUnset } from '../domain/shares.js'
import { type EndpointSelection, isBulk, selectEndpoints } from './selection.js'

/** An endpoint that a change of several leaves unchanged, and why. */
export interface LeftOut {
  readonly endpoint: Endpoint
  readonly reason: 'drained' | 'unreadable' | 'weightless' | 'gone'
  /** A clause for messages. */
  readonly text: string
}

/** The selection of endpoints for a weight change. */
export interface Targets {
  readonly service: readonly Endpoint[]
  readonly selected: readonly Endpoint[]
  readonly leftOut: readonly LeftOut[]
}

/**
 * Chooses the endpoints that a weight change is for. Where it is for all of a service (or of a version), it
 * leaves out what it cannot or should not change: a value that cannot be read, a layout without a place for a
 * weight, and, unless `drained`, endpoints at weight 0, which were drained on purpose. Where every weight of
 * the service is 0, weights are unset and nothing is drained.
 *
 * @throws DiscoError NOT_FOUND; CONFLICT when the address stands under several keys, when the one endpoint
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
    return { service, selected: matches, leftOut: [] }
  }
  const mayBeDrained = !drained && !weightsAreUnset(service)
  const selected: Endpoint[] = []
  const leftOut: LeftOut[] = []
  for (const endpoint of matches) {
    const reason = reasonToLeaveOut(endpoint, mayBeDrained)
    if (reason === null) selected.push(endpoint)
    else leftOut.push({ endpoint, ...reason })
  }
  if (selected.length === 0) throw nothingToChange(leftOut)
  return { service, selected, leftOut }
}

function reasonToLeaveOut(
  endpoint: Endpoint,
  mayBeDrained: boolean,
): Pick<LeftOut, 'reason' | 'text'> | null {
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

function nothingToChange(leftOut: readonly LeftOut[]): DiscoError {
  const [first] = leftOut
  const isDrained = leftOut.some(({ reason }) => reason === 'drained')
  if (!isDrained && first) return cannotCarry(first.endpoint.key, first.text)
  return new DiscoError('CONFLICT', 'Every endpoint that this would change is drained (weight 0)', {
    suggestions: ['To give drained endpoints a weight as well, add --drained'],
  })
}
