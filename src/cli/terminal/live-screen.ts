import { Progress } from '../output/progress.js'
import { isAsciiLocale, toAscii } from './ascii.js'
import { Keyboard } from './keyboard.js'
import type { Key } from './keys.js'
import { enterScreen, frame, leaveScreen, type Screen, type Size, sizeOf } from './screen.js'
import { presented } from './wrap.js'

/** Maximum number of lines in the log: older ones are dropped, so that memory does not grow in a long session. */
const LOG_LINES = 1_000

/** At most twenty frames a second: a burst of events is painted once. */
const PAINT_PERIOD_MS = 50

/** Painting takes at most a fifth of the time. Without this limit, frames of many endpoints would take most of it. */
const PAUSE_PER_PAINTING = 4

/** The part of a screen above its log. */
export type Content = Omit<Screen, 'log'>

/** The output of a screen. It may drop a frame, because every frame is complete. */
export interface ScreenOutput {
  write(text: string): unknown
}

interface ScreenOptions {
  readonly output?: ScreenOutput
  /**
   * Receives the keys of the terminal, except Ctrl-C, Ctrl-Z, Ctrl-\ and Ctrl-L. Without it the terminal is not read.
   */
  readonly onKey?: (key: Key) => void
}

/**
 * A table and a log below it, repainted on the terminal's alternate screen. The terminal shows its former content again
 * at the end, and while the process is stopped.
 */
export class LiveScreen {
  readonly log: string[] = []
  private readonly output: ScreenOutput
  private readonly keyboard: Keyboard | null
  private readonly isAscii = isAsciiLocale(process.env)
  private timer: NodeJS.Timeout | undefined
  private paintedAtMs = Number.NEGATIVE_INFINITY
  private paintingMs = 0
  private readonly repaint = () => this.paint()
  /** Restores the terminal if the process ends without `leave`, for example by an uncaught error. */
  private readonly restore = () => this.output.write(leaveScreen)
  private readonly stopSelf = () => this.stop(process.pid, 'SIGTSTP')
  private readonly quitSelf = () => this.stop(process.pid, 'SIGQUIT')
  /** Restores mode and screen, which another program may have changed while this process was stopped. */
  private readonly resumeScreen = () => {
    this.keyboard?.resume()
    this.output.write(enterScreen)
    this.paint()
  }

  /** @param draw returns the content for a size of the terminal */
  constructor(
    private readonly draw: (size: Size) => Content,
    { output = process.stdout, onKey }: ScreenOptions = {},
  ) {
    this.output = output
    Progress.end()
    this.keyboard = onKey ? Keyboard.open(process.stdin, (key) => this.press(key, onKey)) : null
    output.write(enterScreen)
    process.stdout.on('resize', this.repaint)
    process.once('exit', this.restore)
    process.on('SIGTSTP', this.stopSelf).on('SIGQUIT', this.quitSelf).on('SIGCONT', this.resumeScreen)
  }

  /** Whether the screen reads keys. */
  get hasKeys(): boolean {
    return this.keyboard !== null
  }

  /** Adds a line to the log. */
  add(line: string): void {
    this.log.push(line)
    if (this.log.length > LOG_LINES) this.log.shift()
    this.refresh()
  }

  /** Schedules a frame. Several changes before it is painted share the frame. */
  refresh(): void {
    const pauseMs = Math.max(PAINT_PERIOD_MS, this.paintingMs * PAUSE_PER_PAINTING)
    const waitMs = this.paintedAtMs + pauseMs - performance.now()
    this.timer ??= setTimeout(this.repaint, Math.max(0, waitMs))
  }

  paint(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const startedAtMs = performance.now()
    const size = sizeOf(process.stdout)
    const screen = { ...this.draw(size), log: this.log }
    this.output.write(this.isAscii ? frame(inAscii(screen), size, '...') : frame(screen, size))
    this.paintedAtMs = performance.now()
    this.paintingMs = this.paintedAtMs - startedAtMs
  }

  /**
   * Stops painting and reading keys.
   *
   * @param left lines that stay on the terminal
   * @returns the last text to write to the terminal
   */
  leave(left: readonly string[]): string {
    clearTimeout(this.timer)
    process.stdout.off('resize', this.repaint)
    process.off('exit', this.restore)
    process.off('SIGTSTP', this.stopSelf).off('SIGQUIT', this.quitSelf).off('SIGCONT', this.resumeScreen)
    this.keyboard?.close()
    const text = left.length === 0 ? '' : `${left.join('\n')}\n`
    return leaveScreen + presented(text, { isAscii: this.isAscii, columns: sizeOf(process.stdout).columns })
  }

  private press(key: Key, onKey: (key: Key) => void): void {
    // Like a terminal outside of raw mode, send the signal to the whole process group.
    if (key.type === 'ctrl-c') process.kill(FOREGROUND_GROUP, 'SIGINT')
    else if (key.type === 'ctrl-z') this.stop(FOREGROUND_GROUP, 'SIGTSTP')
    else if (key.type === 'ctrl-backslash') this.stop(FOREGROUND_GROUP, 'SIGQUIT')
    else if (key.type === 'ctrl-l') this.resumeScreen()
    else onKey(key)
  }

  /**
   * Restores the terminal, and lets the system stop or end the process. The system does not stop a process that no
   * shell could continue, such as the only one of a terminal; the screen then continues at once.
   */
  private stop(pid: number, signal: 'SIGTSTP' | 'SIGQUIT'): void {
    process.off('SIGTSTP', this.stopSelf).off('SIGQUIT', this.quitSelf)
    this.keyboard?.suspend()
    this.output.write(leaveScreen)
    process.kill(pid, signal)
    process.on('SIGTSTP', this.stopSelf).on('SIGQUIT', this.quitSelf)
    this.resumeScreen()
  }
}

function inAscii({ title, table: { lines, hidden }, legend, log }: Screen): Screen {
  return {
    title: toAscii(title),
    table: { lines: lines.map(toAscii), hidden },
    legend: toAscii(legend),
    log: log.map(toAscii),
  }
}

/** In kill(2), this pid stands for the process group of the caller. */
const FOREGROUND_GROUP = 0
