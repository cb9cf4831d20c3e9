import { count } from '../terminal/units.js'

export interface LineBudgetOptions {
  readonly maxLines: number
  readonly periodMs: number
}

/**
 * Limits the lines that clients cause: one may ask for another unknown name in each of a thousand requests a second.
 * The number of lines that were left out follows at the end of the period.
 */
export class LineBudget {
  private printed = 0
  private leftOut = 0
  private timer: NodeJS.Timeout | undefined

  /**
   * @param print prints a line
   * @param warn prints a sentence as a warning
   */
  constructor(
    private readonly options: LineBudgetOptions,
    private readonly print: (line: string) => void,
    private readonly warn: (sentence: string) => void,
  ) {}

  /**
   * Prints a line, or leaves it out and counts it.
   *
   * @param line returns the line; not called if it is left out
   */
  line(line: () => string): void {
    const { maxLines, periodMs } = this.options
    this.timer ??= setTimeout(() => this.endPeriod(), periodMs).unref()
    if (this.printed < maxLines) {
      this.printed++
      this.print(line())
    } else this.leftOut++
  }

  private endPeriod(): void {
    const { leftOut } = this
    this.timer = undefined
    this.printed = 0
    this.leftOut = 0
    if (leftOut === 0) return
    this.warn(
      `${count(leftOut, 'more line')} about clients within ${this.options.periodMs / 1_000}s: left out`,
    )
  }
}
