import { DiscoError } from '../domain/errors.js'

/** Measured values of a run. A value is null if the run was too short to measure it. */
export interface Measures {
  /** Percentiles and maximum of the latency, in milliseconds. */
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
  readonly max: number | null
  /** Failed calls as a fraction of all calls, from 0 to 1. */
  readonly errors: number | null
  /** The largest |observed - expected| share of any endpoint, from 0 to 1. */
  readonly skew: number | null
  /** Completed calls per second. */
  readonly rate: number | null
}

type Measure = keyof Measures
type Operator = '<' | '<=' | '>' | '>='

/** A condition that a run must meet. */
export interface Assertion {
  /** The condition as the user wrote it. */
  readonly text: string
  readonly measure: Measure
  readonly operator: Operator
  /** In the unit of the measure. */
  readonly limit: number
}

/** The result of an assertion. */
export interface AssertionResult {
  /** The condition as the user wrote it. */
  readonly assertion: string
  /** The measured value; null if the run was too short to measure it. The assertion then fails. */
  readonly actual: number | null
  readonly holds: boolean
}

/** `number`: calls per second. */
type Unit = 'ms' | 'fraction' | 'number'

const UNITS: Readonly<Record<Measure, Unit>> = {
  p50: 'ms',
  p95: 'ms',
  p99: 'ms',
  max: 'ms',
  errors: 'fraction',
  skew: 'fraction',
  rate: 'number',
}

const MS_PER_UNIT: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 }

const COMPARE: Readonly<Record<Operator, (actual: number, limit: number) => boolean>> = {
  '<': (actual, limit) => actual < limit,
  '<=': (actual, limit) => actual <= limit,
  '>': (actual, limit) => actual > limit,
  '>=': (actual, limit) => actual >= limit,
}

/**
 * Parses assertions separated by commas, such as `p99<50ms,errors<1%,skew<5%`.
 *
 * @param source the flag that contains the text, for the error message
 * @throws DiscoError USAGE for an invalid assertion
 */
export function parseAssertions(text: string, source: string): readonly Assertion[] {
  return text.split(',').map((part) => parseAssertion(part.trim(), source))
}

/** Whether an assertion is about failed calls: they then fail a run only if it does not hold. */
export function assertsErrors(results: readonly AssertionResult[]): boolean {
  return results.some(({ assertion }) => measureOf(assertion) === 'errors')
}

/** The unit of the value that an assertion limits. */
export function unitOf({ assertion }: AssertionResult): Unit {
  return UNITS[measureOf(assertion)]
}

function measureOf(assertion: string): Measure {
  return parseAssertion(assertion, 'the result').measure
}

function parseAssertion(text: string, source: string): Assertion {
  const [, name = '', operator = '', amount = '', unit = ''] =
    /^(\w+)\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*(%|[a-z]*)$/.exec(text) ?? []
  if (!Object.hasOwn(UNITS, name)) throw unreadable(text, name, source)
  const measure = name as Measure
  const scale = scaleOf(UNITS[measure], unit)
  if (scale === null) throw unreadable(text, name, source)
  return { text, measure, operator: operator as Operator, limit: Number(amount) * scale }
}

/** The factor that converts the unit of a limit to the unit of its measure; null for an invalid unit. */
function scaleOf(kind: Unit, unit: string): number | null {
  if (kind === 'ms') return MS_PER_UNIT[unit] ?? null
  if (kind === 'fraction') return unit === '%' ? 0.01 : unit === '' ? 1 : null
  return unit === '' ? 1 : null
}

function unreadable(text: string, name: string, source: string): DiscoError {
  const measures = Object.keys(UNITS)
  const what = name === '' || measures.includes(name) ? 'cannot be read' : `has the unknown measure "${name}"`
  return new DiscoError('USAGE', `The assertion "${text}" from ${source} ${what}`, {
    suggestions: [
      `Expected a condition such as p99<50ms, errors<1% or skew<5%. Available: ${measures.join(', ')}`,
    ],
  })
}

/** Checks assertions against the measures. An assertion about a null measure fails. */
export function assess(assertions: readonly Assertion[], measures: Measures): AssertionResult[] {
  return assertions.map(({ text, measure, operator, limit }) => {
    const actual = measures[measure]
    return { assertion: text, actual, holds: actual !== null && COMPARE[operator](actual, limit) }
  })
}
