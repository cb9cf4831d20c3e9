import type { Progress } from '../output/progress.js'
import { writeRemark } from '../output/remark.js'

/** A line on standard error with a countdown. If standard error is not a terminal, the line is printed once. */
export class Countdown implements Disposable {
  /** Null until it is started. */
  private endMs: number | null = null

  constructor(
    private readonly totalMs: number,
    private readonly progress: Progress,
  ) {}

  /**
   * Starts the countdown, or shows it again below other output.
   *
   * @param line returns the text of the line for the remaining time, such as `27s`
   */
  start(line: (left: string) => string): void {
    const isStarted = this.endMs !== null
    const endMs = this.endMs ?? performance.now() + this.totalMs
    this.endMs = endMs
    if (this.progress.isShown)
      this.progress.show(() => line(`${Math.ceil(Math.max(0, endMs - performance.now()) / 1000)}s`))
    else if (!isStarted) writeRemark(line(`${this.totalMs / 1000}s`))
  }

  /** Clears the line on a terminal. */
  stop(): void {
    this.progress.stop()
  }

  [Symbol.dispose](): void {
    this.stop()
  }
}
