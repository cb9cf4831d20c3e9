import { isAsciiLocale, toAscii } from '../terminal/ascii.js'
import { cutTo, sizeOf } from '../terminal/screen.js'
import { count, duration } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'

/** Waits shorter than this are not shown. */
const FIRST_PAINT_MS = 100
const REPAINT_MS = 200

/** Returns to the start of the current line and clears it. */
export const CLEAR_LINE = '\r\u001b[K'

/** Signals that end the process by default. The line is cleared before the end. */
const END_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

/** The progress line that is shown; null if none is. A process shows one at a time. */
let shown: Progress | null = null

/**
 * A line on standard error that shows what a command is waiting for, and for how long. It is shown only on a terminal.
 * The next output of the command removes it.
 */
export class Progress implements Disposable {
  private timer: NodeJS.Timeout | undefined
  private isPainted = false
  private readonly onSignal = (signal: NodeJS.Signals) => {
    const isLast = process.listenerCount(signal) === 1
    this.stop()
    // Without another handler, the signal now ends the process, as by default.
    if (isLast) process.kill(process.pid, signal)
  }

  /** @param isShown whether the line is ever painted */
  private constructor(readonly isShown: boolean) {}

  /** @param format the output format. NDJSON lines on a terminal show the progress themselves, so no line is shown. */
  static for(format: string): Progress {
    const isBesideLines = format === 'ndjson' && process.stdout.isTTY
    return new Progress(isRepaintable(process.stderr) && !isBesideLines)
  }

  /** Removes the line that is shown, if any. */
  static end(): void {
    shown?.stop()
  }

  /** Shows the reason and the duration of a wait that lasts longer than `FIRST_PAINT_MS`. */
  wait(what: () => string): void {
    const startedAtMs = performance.now()
    this.show(() => `  ${visible(what())}…  ${duration(performance.now() - startedAtMs)}`)
  }

  /** Shows a line that changes. */
  show(line: () => string): void {
    Progress.end()
    if (!this.isShown) return
    shown = this
    const paint = () => {
      this.paint(line())
      this.timer = setTimeout(paint, REPAINT_MS).unref()
    }
    this.timer = setTimeout(paint, FIRST_PAINT_MS).unref()
  }

  stop(): void {
    clearTimeout(this.timer)
    if (shown === this) shown = null
    if (!this.isPainted) return
    this.isPainted = false
    for (const signal of END_SIGNALS) process.off(signal, this.onSignal)
    process.stderr.write(CLEAR_LINE)
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  private paint(line: string): void {
    const isAscii = isAsciiLocale(process.env)
    // A character in the last column would make some terminals begin another line.
    const room = sizeOf(process.stderr).columns - 1
    const text = isAscii ? cutTo(toAscii(line), room, '...') : cutTo(line, room)
    process.stderr.write(CLEAR_LINE + text)
    if (this.isPainted) return
    this.isPainted = true
    for (const signal of END_SIGNALS) process.on(signal, this.onSignal)
  }
}

/** Whether a line can be painted over: the stream is a terminal that can move its cursor. */
export function isRepaintable(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && process.env.TERM !== 'dumb'
}

/** The text during a read of etcd, with what was received so far. @param etcd such as `etcd at 127.0.0.1:2379` */
export function readingText(
  etcd: string,
  { pages, keys }: { readonly pages: number; readonly keys: number },
) {
  if (keys === 0) return `asking ${etcd}`
  return `reading ${etcd}: ${count(pages, 'page')}, ${count(keys, 'key')} so far`
}

/** Shows the progress of a survey of servers. @returns the callback that receives the progress */
export function probingLine(progress: Progress): (done: number, servers: number) => void {
  let text = 'probing'
  progress.wait(() => text)
  return (done, servers) => {
    text = `probing: ${done} of ${count(servers, 'server')}`
  }
}
