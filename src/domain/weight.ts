import { DiscoError, invalidValue } from './errors.js'

/** The largest weight that all readers of the layouts can hold: a signed 32-bit integer. */
export const MAX_WEIGHT = 2 ** 31 - 1

/** A weight change: to a number, by a number, or to a percentage of the endpoint's own weight. */
export type WeightChange =
  | { readonly kind: 'set'; readonly weight: number }
  | { readonly kind: 'add'; readonly delta: number }
  | { readonly kind: 'scale'; readonly percent: number }
  /** To a number if the current weight is 0. A weight above 0, which another client has set meanwhile, is kept. */
  | { readonly kind: 'restore'; readonly weight: number }

/** A weight, or a change of one, as the command line takes it: `5`, `'+2'`, `'-1'`, `'50%'`. */
export type WeightForm = number | `${number}` | `+${number}` | `${number}%` | WeightChange

/** @throws DiscoError USAGE */
export function weightChangeOf(form: WeightForm): WeightChange {
  if (typeof form === 'string') return parseWeightChange(form)
  if (typeof form === 'object') return form
  // A negative number is a mistake, not the change '-1'.
  return { kind: 'set', weight: parseWeight(String(form)) }
}

const CHANGE = /^([+\-\u2212]?)(\d{1,10})(%?)$/

/** {@link parseWeightChange} that returns undefined instead of throwing. */
export function readWeightChange(text: string): WeightChange | undefined {
  const match = CHANGE.exec(text)
  const [, sign = '', digits = '', percent = ''] = match ?? []
  const amount = Number(digits)
  if (!match || (percent && sign) || amount > MAX_WEIGHT) return undefined
  if (percent) return { kind: 'scale', percent: amount }
  if (sign === '+') return { kind: 'add', delta: amount }
  return sign === '' ? { kind: 'set', weight: amount } : { kind: 'add', delta: -amount }
}

/**
 * Reads `5`, `+2`, `-1` or `50%`: a weight from 0 to 2^31 - 1, a difference, or a percentage of the endpoint's weight.
 * A typographic minus (U+2212) counts as a minus, so that a command line can carry a negative change past a parser that
 * takes `-1` for a flag.
 *
 * @throws DiscoError USAGE
 * @example
 * ```ts
 * import { parseWeightChange } from 'disco-registry'
 *
 * parseWeightChange('+2') // { kind: 'add', delta: 2 }
 * parseWeightChange('50%') // { kind: 'scale', percent: 50 }
 * ```
 */
export function parseWeightChange(text: string): WeightChange {
  const change = readWeightChange(text)
  if (change) return change
  throw invalidWeight(text, `an integer from 0 to ${MAX_WEIGHT}, or a change such as +2, -1 or 50%`)
}

/** The text that `parseWeightChange` reads as this change; for `restore`, the text of `set`. */
export function changeText(change: WeightChange): string {
  switch (change.kind) {
    case 'add':
      return change.delta < 0 ? String(change.delta) : `+${change.delta}`
    case 'scale':
      return `${change.percent}%`
    default:
      return String(change.weight)
  }
}

/** Whether the new weight is computed from the current one, as for `add` and `scale`. */
export function isRelative({ kind }: WeightChange): boolean {
  return kind === 'add' || kind === 'scale'
}

/** @throws DiscoError USAGE unless the text is an integer from 0 to MAX_WEIGHT. */
export function parseWeight(text: string): number {
  const change = readWeightChange(text)
  if (change?.kind === 'set') return change.weight
  throw invalidWeight(text, `an integer from 0 to ${MAX_WEIGHT}`)
}

/**
 * The weight after the change. A percentage is rounded and at least 1, unless the weight was 0.
 *
 * @throws DiscoError USAGE when the result is below 0 or above MAX_WEIGHT.
 */
export function changeWeight(weight: number, change: WeightChange): number {
  const changed = unboundedWeight(weight, change)
  if (changed < 0) {
    throw new DiscoError('USAGE', `The weight would be ${changed}; it is ${weight} now and cannot go below 0`)
  }
  if (changed > MAX_WEIGHT) throw tooLarge(String(changed))
  return changed
}

/** The weight after the change, which may be below 0 or above MAX_WEIGHT. */
export function unboundedWeight(weight: number, change: WeightChange): number {
  switch (change.kind) {
    case 'set':
      return change.weight
    case 'add':
      return weight + change.delta
    case 'restore':
      return weight === 0 ? change.weight : weight
    case 'scale':
      return weight === 0 ? 0 : Math.max(1, Math.round((weight * change.percent) / 100))
  }
}

function invalidWeight(text: string, expected: string): DiscoError {
  const isTooLarge = CHANGE.test(text) && Number.parseInt(text.replace(/^\D/, ''), 10) > MAX_WEIGHT
  return isTooLarge ? tooLarge(text) : invalidValue('weight', text.replace('\u2212', '-'), expected)
}

function tooLarge(text: string): DiscoError {
  return new DiscoError('USAGE', `Weight ${text} is too large: the maximum is ${MAX_WEIGHT} (2^31-1)`)
}
