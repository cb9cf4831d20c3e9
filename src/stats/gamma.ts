/**
 * Stirling's series is accurate to the precision of a double from this argument on. Smaller arguments are raised to it
 * by the recurrence Γ(x + 1) = x Γ(x).
 */
const STIRLING_FROM = 20

/** Limit of terms. Both expansions of the incomplete gamma function reach double precision with far fewer. */
const MAX_TERMS = 100_000

const PRECISION = 1e-15

/** ln Γ(x) for x > 0 (Abramowitz and Stegun 6.1.15 and 6.1.41). */
export function lnGamma(x: number): number {
  let lead = 1
  let at = x
  for (; at < STIRLING_FROM; at++) lead *= at
  const inverse = 1 / at
  const square = inverse * inverse
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680))))
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series - Math.log(lead)
}

/** ln(n!) for n below 1,024, cached: draws and enumerations use small factorials millions of times. */
const LN_FACTORIALS = Float64Array.from({ length: 1024 }, (_, n) => lnGamma(n + 1))

/** ln(n!) */
export function lnFactorial(n: number): number {
  return LN_FACTORIALS[n] ?? lnGamma(n + 1)
}

/**
 * Q(a, x), the upper incomplete gamma function over Γ(a): by its series for x below a + 1, by its continued fraction
 * above.
 */
export function gammaQ(a: number, x: number): number {
  if (x <= 0) return 1
  const scale = Math.exp(a * Math.log(x) - x - lnGamma(a))
  return x < a + 1 ? 1 - scale * seriesP(a, x) : scale * fractionQ(a, x)
}

/** Abramowitz and Stegun 6.5.29 */
function seriesP(a: number, x: number): number {
  let term = 1 / a
  let sum = term
  for (let n = 1; n < MAX_TERMS && term > sum * PRECISION; n++) {
    term *= x / (a + n)
    sum += term
  }
  return sum
}

/** Abramowitz and Stegun 6.5.31, evaluated forwards (Lentz 1976). */
function fractionQ(a: number, x: number): number {
  let b = x + 1 - a
  let c = Number.MAX_VALUE
  let d = 1 / b
  let fraction = d
  for (let n = 1; n < MAX_TERMS; n++) {
    const numerator = -n * (n - a)
    b += 2
    d = 1 / (numerator * d + b)
    c = b + numerator / c
    const step = c * d
    fraction *= step
    if (Math.abs(step - 1) < PRECISION) break
  }
  return fraction
}

/** The probability that a chi-square variable with this number of degrees of freedom is at least x. */
export function chiSquareTail(x: number, degreesOfFreedom: number): number {
  return gammaQ(degreesOfFreedom / 2, x / 2)
}

/** The value that a chi-square variable exceeds with probability `tail`. */
export function chiSquareCritical(tail: number, degreesOfFreedom: number): number {
  let low = 0
  let high = degreesOfFreedom + 1
  while (chiSquareTail(high, degreesOfFreedom) > tail) high *= 2
  // 64 halvings reduce the interval to the precision of a double.
  for (let step = 0; step < 64; step++) {
    const middle = (low + high) / 2
    if (chiSquareTail(middle, degreesOfFreedom) > tail) low = middle
    else high = middle
  }
  return high
}

/** Pearson's X² of observed counts against expected ones, each above 0. */
export function pearson(counts: ArrayLike<number>, expected: readonly number[]): number {
  let sum = 0
  for (const [at, wanted] of expected.entries()) sum += ((counts[at] ?? 0) - wanted) ** 2 / wanted
  return sum
}
