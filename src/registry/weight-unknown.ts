import { type Endpoint, isReadable } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { changeText, type WeightChange } from '../domain/weight.js'

/** A key whose relative weight change was sent, but whose answer was lost. */
export interface UnknownChange {
  /** The endpoint as it was read for the change. */
  readonly before: readonly Endpoint[]
  /** The key's weight if the change was applied once. */
  readonly to: number
  /** The current endpoints of the key; empty if the key is gone. */
  readonly now: readonly Endpoint[]
}

/** Maximum number of endpoints with their weight in the message. */
const MAX_NAMED = 3

/**
 * The error of a relative change whose answer was lost. etcd's history shows such a change, but an equal change by
 * another client would leave the same history.
 */
export function unknownWeights(change: WeightChange, unknown: readonly UnknownChange[]): DiscoError {
  const all = unknown.flatMap(({ before, to, now }) =>
    before.map((endpoint) => ({ endpoint, to, now: now.find(({ addr }) => addr === endpoint.addr) })),
  )
  const [first] = all
  const service = first?.endpoint.service ?? ''
  const isOne = all.length === 1
  const which = isOne ? `weight of ${first?.endpoint.addr}` : `weights of ${all.length} endpoints`
  const current = all
    .slice(0, MAX_NAMED)
    .map(({ endpoint, now }) => (isOne ? weightText(now) : `${endpoint.addr} ${weightText(now)}`))
  const more = all.length > MAX_NAMED ? `, and ${all.length - MAX_NAMED} more` : ''
  const done = `may or may not have been changed by ${changeText(change)}`
  const now = `${isOne ? 'It is now' : 'They are now'} ${current.join(', ')}${more}`
  const each = isOne ? 'it' : 'each'
  return new DiscoError(
    'OUTCOME_UNKNOWN',
    `The ${which} of ${service} ${done}: etcd's answer was lost. ${now}`,
    {
      suggestions: [
        'An equal change by another client would give the same weights, so they do not show whose change was applied',
        `Check the weights before you repeat it: disco ls ${service}`,
        `Or set ${each} absolutely: disco weight ${service} ${first?.endpoint.addr} ${first?.to}`,
      ],
    },
  )
}

function weightText(now: Endpoint | undefined): string {
  if (now === undefined) return 'gone'
  return isReadable(now) ? String(now.weight) : 'unreadable'
}
