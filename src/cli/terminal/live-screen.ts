import { enterScreen, frame, leaveScreen, type Screen, type Size, sizeOf } from './screen.js'

/** Older lines of the log are dropped, so that a long session does not grow. */
const LOG_LINES = 1_000

/** At most twenty frames a second: a burst of events is painted once. */
const PAINT_PERIOD_MS = 50

/** What a screen shows above its log. */
export type Content = Omit<Screen, 'log'>

/** Where a screen is written; a frame may be dropped, the next one is complete. */
export interface ScreenOutput {
  write(text: string): unknown
}

/**
 * A table that repaints above a log, on the terminal's other screen: what was on the terminal before comes back at the
 * end.
 */
export class LiveScreen {
  readonly log: string[] = []
  private timer: NodeJS.Timeout | undefined
  private paintedAtMs = Number.NEGATIVE_INFINITY
  private readonly repaint = () => this.paint()
  /** Restores the terminal if the process ends without `leave`, for example by an uncaught error. */
  private readonly restore = () => this.output.write(leaveScreen)

  /** @param draw the content for a terminal of a size */
  constructor(
    private readonly draw: (size: Size) => Content,
    private readonly output: ScreenOutput = process.stdout,
  ) {
    output.write(enterScreen)
    process.stdout.on('resize', this.repaint)
    process.once('exit', this.restore)
  }

  /** Adds a line to the log. */
  add(line: string): void {
    this.log.push(line)
    if (this.log.length > LOG_LINES) this.log.shift()
    this.refresh()
  }

  /** Paints soon: several changes at a time make one frame. */
  refresh(): void {
    const waitMs = this.paintedAtMs + PAINT_PERIOD_MS - performance.now()
    this.timer ??= setTimeout(this.repaint, Math.max(0, waitMs))
  }

  paint(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const size = sizeOf(process.stdout)
    this.output.write(frame({ ...this.draw(size), log: this.log }, size))
    this.paintedAtMs = performance.now()
  }

  /**
   * Paints no more.
   *
   * @param left lines that stay on the terminal
   * @returns what has to be written to the terminal last
   */
  leave(left: readonly string[]): string {
    clearTimeout(this.timer)
    process.stdout.off('resize', this.repaint)
    process.off('exit', this.restore)
    return leaveScreen + (left.length === 0 ? '' : `${left.join('\n')}\n`)
  }
}
