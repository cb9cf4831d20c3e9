/** The interval of repainting the line. */
const TICK_MS = 1_000
/** Returns to the start of the current line and clears it. */
export const CLEAR_LINE = '\r\u001b[K'

/** A line on standard error that counts down on a terminal, and is printed once elsewhere. */
export class Countdown implements Disposable {
  private timer: NodeJS.Timeout | null = null
  private readonly isTerminal = process.stderr.isTTY === true && process.env.TERM !== 'dumb'

  constructor(private readonly totalMs: number) {}

  /** @param line the text for the time left, such as `27s` */
  start(line: (left: string) => string): void {
    const endMs = performance.now() + this.totalMs
    const show = () => {
      const leftMs = Math.max(0, endMs - performance.now())
      process.stderr.write(`${CLEAR_LINE}${line(`${Math.ceil(leftMs / 1000)}s`)}`)
    }
    if (this.isTerminal) {
      show()
      this.timer = setInterval(show, TICK_MS)
    } else process.stderr.write(`${line(`${this.totalMs / 1000}s`)}\n`)
  }

  /** Clears the line of a terminal. */
  stop(): void {
    if (this.timer === null) return
    clearInterval(this.timer)
    this.timer = null
    process.stderr.write(CLEAR_LINE)
  }

  [Symbol.dispose](): void {
    this.stop()
  }
}
