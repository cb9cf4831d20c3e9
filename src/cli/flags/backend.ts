import { Flags, type Interfaces } from '@oclif/core'
import type { BackendPlan } from '../../dev/backends.js'
import { timerDelay } from '../../domain/duration.js'
import { DiscoError, invalidValue } from '../../domain/errors.js'
import { MAX_WEIGHT } from '../../domain/weight.js'
import { parsedBy, readBy } from './custom.js'
import { readWaitMs } from './duration.js'
import { readWeight } from './weight.js'

const MAX_BACKENDS = 100

const DEFAULT_WEIGHTS = [1, 1, 1, 1, 10]

/** Values separated by commas. */
type Numbers = readonly number[]

/** The sample backends of `disco dev`. */
export const backendFlags = {
  backends: Flags.custom<Numbers>({
    parse: parsedBy(readBackends),
    defaultHelp: async () => DEFAULT_WEIGHTS.join(','),
  })({
    default: DEFAULT_WEIGHTS,
    helpValue: '<weights>',
    description: 'weights of the backends; 0 for no backends',
  }),
  latency: Flags.custom<Numbers>({
    parse: readBy(
      (text) => readEach(text, readLatencyMs),
      'durations from 0 to 596h, such as 5ms or 5ms,10ms',
    ),
  })({ helpValue: '5ms,…', description: 'latency of each backend, or of all backends' }),
  'error-rate': Flags.custom<Numbers>({
    parse: readBy((text) => readEach(text, readFraction), 'rates from 0 to 1 or 0% to 100%, such as 1%'),
  })({ helpValue: '1%,…', description: 'part of failing calls of each backend, or of all backends' }),
}

/** One backend for each weight. @throws DiscoError USAGE */
export function planBackends(flags: Interfaces.InferredFlags<typeof backendFlags>): BackendPlan[] {
  const { backends: weights, latency, 'error-rate': errorRate } = flags
  const latencies = perBackend('--latency', latency, weights.length)
  const fractions = perBackend('--error-rate', errorRate, weights.length)
  return weights.map((weight, at) => ({
    weight,
    latencyMs: latencies[at] ?? 0,
    errorFraction: fractions[at] ?? 0,
  }))
}

/** One value for each backend: `values` has one for each, or a single one for all. */
function perBackend(flag: string, values: Numbers | undefined, backends: number): Numbers {
  if (values === undefined || values.length === backends) return values ?? []
  const [first = 0] = values
  if (values.length === 1) return Array.from({ length: backends }, () => first)
  throw new DiscoError('USAGE', `${flag} has ${values.length} values for ${backends} backends`, {
    suggestions: ['Give one value for all backends, or one for each'],
  })
}

/** Undefined if any of the values cannot be read. */
function readEach(text: string, read: (value: string) => number | undefined): Numbers | undefined {
  const values = text.split(',').flatMap((value) => read(value.trim()) ?? [])
  return values.length === text.split(',').length ? values : undefined
}

/** `0` and the empty text mean no backends. */
function readBackends(text: string, flag: string): Numbers {
  if (text === '0' || text === '') return []
  const weights = readEach(text, readWeight)
  if (weights === undefined) {
    throw invalidValue(flag, text, `integers from 0 to ${MAX_WEIGHT}, such as 1,1,10`)
  }
  if (weights.length <= MAX_BACKENDS) return weights
  throw new DiscoError('USAGE', `${flag} has ${weights.length} weights: the maximum is ${MAX_BACKENDS}`)
}

function readLatencyMs(text: string): number | undefined {
  return timerDelay(readWaitMs(text))
}

/** Reads `0.01` or `1%` as a fraction from 0 to 1. */
function readFraction(text: string): number | undefined {
  const [, amount, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? []
  const fraction = Number(amount) / (percent ? 100 : 1)
  return fraction >= 0 && fraction <= 1 ? fraction : undefined
}
