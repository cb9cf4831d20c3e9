import { Flags } from '@oclif/core'
import { expectedDuration, MS_PER_UNIT, readDurationMs, timerDelay } from '../../domain/duration.js'
import { invalidValue } from '../../domain/errors.js'
import { parsedBy, readBy } from './custom.js'

/** A duration as a user writes it, in the largest unit that divides it: 30000 as `30s`. */
export function durationText(ms: number): string {
  const [unit, length] = Object.entries(MS_PER_UNIT).findLast(([, unitMs]) => ms % unitMs === 0) ?? ['ms', 1]
  return `${ms / length}${unit}`
}

/** Shows the default in help, for a flag in milliseconds. */
async function defaultHelp({ options }: { readonly options: { readonly default?: unknown } }) {
  return typeof options.default === 'number' ? durationText(options.default) : undefined
}

/** A duration above 0, in milliseconds. */
export const durationFlag = Flags.custom<number>({
  helpValue: '<duration>',
  defaultHelp,
  parse: parsedBy((text, flag) => {
    const ms = readDurationMs(text)
    if (ms === undefined) throw invalidValue(flag, text, expectedDuration(text))
    return ms
  }),
})

/** Reads a duration of 0 or more, in milliseconds; undefined for any other text. */
export function readWaitMs(text: string): number | undefined {
  return /^0(ms|s|m|h)?$/.test(text) ? 0 : readDurationMs(text)
}

/** A delay for a timer, in milliseconds: above 0, or from 0 with `allowsZero`, to 596h. */
export const waitFlag = Flags.custom<number, { allowsZero?: boolean }>({
  helpValue: '<duration>',
  defaultHelp,
  parse: (text, context, options) =>
    parsedBy((word, flag) => {
      const ms = timerDelay(options.allowsZero ? readWaitMs(word) : readDurationMs(word))
      if (ms !== undefined) return ms
      throw invalidValue(flag, word, expectedDuration(word, options.allowsZero ? 'zero' : 'above zero'))
    })(text, context, options),
})

/** The longest TTL that etcd grants. */
const MAX_TTL_SECONDS = 9_000_000_000

/** The TTL of a lease, in whole seconds. */
export const ttlFlag = Flags.custom<number>({
  helpValue: '<seconds>',
  parse: readBy((text) => {
    const seconds = /^[\d.eE+]+$/.test(text) ? Number(text) : (readDurationMs(text) ?? 0) / 1000
    return Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_TTL_SECONDS ? seconds : undefined
  }, `whole seconds from 1 to ${MAX_TTL_SECONDS}, such as 10`),
})
