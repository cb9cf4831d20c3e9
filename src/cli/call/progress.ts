import type { Recorder } from '../../call/recorder.js'
import type { OutputFormat } from '../output/format.js'
import { CLEAR_LINE } from '../terminal/countdown.js'
import { count, duration } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'

/** Shorter waits are not shown. */
const FIRST_PAINT_MS = 100
const REPAINT_MS = 200

/** One line on a terminal until the report: the connecting phase, or the progress of the run. */
export class Progress implements Disposable {
  private timer: NodeJS.Timeout | undefined
  private isPainted = false

  constructor(private readonly isShown: boolean) {}

  /** @param format NDJSON lines on the same terminal show the progress themselves */
  static for(format: OutputFormat): Progress {
    const isBesideLines = format === 'ndjson' && process.stdout.isTTY
    return new Progress(process.stderr.isTTY === true && !isBesideLines)
  }

  /** Shows the progress of the calls. */
  readonly start = (recorder: Recorder): void => {
    const startedAtMs = performance.now()
    this.show(() => progressLine(recorder, performance.now() - startedAtMs))
  }

  /** Shows the reason of a wait, once it is noticeable. */
  wait(what: () => string): void {
    const startedAtMs = performance.now()
    this.show(() => `  ${visible(what())}…  ${duration(performance.now() - startedAtMs)}`)
  }

  /** Clears the line, so that other output can follow. */
  stop(): void {
    clearTimeout(this.timer)
    if (this.isPainted) process.stderr.write(CLEAR_LINE)
    this.isPainted = false
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  private show(line: () => string): void {
    this.stop()
    if (!this.isShown) return
    const paint = () => {
      process.stderr.write(`${CLEAR_LINE}${line().slice(0, process.stderr.columns)}`)
      this.isPainted = true
      this.timer = setTimeout(paint, REPAINT_MS)
    }
    this.timer = setTimeout(paint, FIRST_PAINT_MS)
  }
}

export function progressLine({ all }: Recorder, elapsedMs: number): string {
  const { p50, p99 } = all.latency.summary()
  const perSecond = Math.round((all.calls * 1000) / elapsedMs)
  const failed = Object.entries(all.failures).map(([status, calls]) => `  ${calls} ${status}`)
  return `  ${count(all.calls, 'call')}  ${perSecond}/s  p50 ${duration(p50)}  p99 ${duration(p99)}${failed.join('')}  ${duration(elapsedMs)}`
}
