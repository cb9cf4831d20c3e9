import type { BackendPlan } from '../../dev/backends.js'
import { DiscoError } from '../../domain/errors.js'
import { parseWeight } from '../../domain/weight.js'
import { parseWaitMs } from './duration.js'

const MOST_BACKENDS = 100

interface BackendFlags {
  readonly backends: string
  readonly latency?: string | undefined
  readonly 'error-rate'?: string | undefined
}

/** One plan for each weight. @throws DiscoError USAGE */
export function planBackends(flags: BackendFlags): BackendPlan[] {
  if (flags.backends === '0' || flags.backends === '') return []
  const weights = flags.backends.split(',').map((text) => parseWeight(text.trim()))
  if (weights.length > MOST_BACKENDS) {
    throw new DiscoError('USAGE', `${weights.length} backends are too many: the most is ${MOST_BACKENDS}`)
  }
  const latencies = perBackend('--latency', flags.latency, weights.length, parseWaitMs)
  const errors = perBackend('--error-rate', flags['error-rate'], weights.length, parseFraction)
  return weights.map((weight, index) => ({
    ...{ weight, latencyMs: latencies[index] ?? 0, errorFraction: errors[index] ?? 0 },
  }))
}

/** One value for all backends, or one for each. */
function perBackend(
  flag: string,
  text: string | undefined,
  backends: number,
  parse: (text: string) => number,
): number[] {
  if (text === undefined) return []
  const values = text.split(',').map((value) => parse(value.trim()))
  const [first = 0] = values
  if (values.length === 1) return Array.from({ length: backends }, () => first)
  if (values.length === backends) return values
  throw new DiscoError('USAGE', `${flag} has ${values.length} values for ${backends} backends`, {
    suggestions: ['Want one for all, or one for each'],
  })
}

function parseFraction(text: string): number {
  const [, amount, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? []
  const fraction = Number(amount) / (percent ? 100 : 1)
  if (fraction >= 0 && fraction <= 1) return fraction
  throw new DiscoError('USAGE', `"${text}" is not a rate`, { suggestions: ['Want 0 to 1, or 0% to 100%'] })
}
