/**
 * Running sum of finite numbers without rounding errors: a number that was added can be subtracted again, in any
 * order, and the total is rounded once. Based on Shewchuk, "Adaptive Precision Floating-Point Arithmetic and Fast
 * Robust Geometric Predicates", 1997; the total is rounded as in Python's `math.fsum`.
 */
export class ExactSum {
  /** Non-overlapping parts of the sum, from small to large. Usually one. */
  private parts: number[] = []

  add(value: number): void {
    let carry = value * SCALE
    const parts: number[] = []
    for (const part of this.parts) {
      const sum = carry + part
      const error = roundingError(carry, part, sum)
      if (error !== 0) parts.push(error)
      carry = sum
    }
    if (carry !== 0) parts.push(carry)
    this.parts = parts
  }

  subtract(value: number): void {
    this.add(-value)
  }

  /** The value divided by the sum; 0 if the sum is 0. */
  fractionOf(value: number): number {
    const total = this.rounded()
    return total === 0 ? 0 : (value * SCALE) / total
  }

  private rounded(): number {
    const parts = [...this.parts]
    let total = parts.pop() ?? 0
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      const sum = total + part
      const error = roundingError(total, part, sum)
      total = sum
      if (error === 0) continue
      // The sum was rounded half to even. If the next part has the sign of the error, the exact error is more than a
      // half, and the sum must be rounded in the direction of the error.
      const rest = parts.at(-1) ?? 0
      const isBeyondHalf = (error < 0 && rest < 0) || (error > 0 && rest > 0)
      const next = total + error * 2
      return isBeyondHalf && next - total === error * 2 ? next : total
    }
    return total
  }
}

/** Keeps sums of the largest numbers finite. A power of two costs no precision. */
const SCALE = 2 ** -64

/** The exact sum of two numbers minus their rounded sum. */
function roundingError(a: number, b: number, sum: number): number {
  return Math.abs(a) < Math.abs(b) ? a - (sum - b) : b - (sum - a)
}
