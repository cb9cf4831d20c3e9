import type { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { Progress } from './progress.js'

/** Error codes of a write after the other end of the pipe or socket was closed. */
const READER_GONE = new Set(['EPIPE', 'ECONNRESET'])

/**
 * Maximum number of bytes kept in memory for a slow reader after `ignoreFailures`, enough for ten thousand lines. Later
 * lines are lost.
 */
const MAX_IGNORED_BYTES = 1_048_576

/** After an interruption, output ends once its reader has read nothing for this time. */
const STALLED_MS = 500

/**
 * Writes text to a stream that another process reads, such as standard output. Reports backpressure and failed
 * writes: an unhandled 'error' event would end the process.
 */
export class LineOutput {
  private readonly end = new AbortController()
  private error: Error | null = null
  private ignoresFailures = false
  private isInterrupted = false
  private collectsLines = false
  private readonly waiting = new Set<() => void>()

  constructor(private readonly stream: Writable & { readonly isTTY?: boolean }) {
    stream.on('error', (error: NodeJS.ErrnoException) => this.failed(error))
    stream.on('drain', () => this.resume())
  }

  /**
   * Aborted when a write fails, because the reader has closed the pipe or the disk is full. A closed pipe is noticed at
   * the next write.
   */
  get ended(): AbortSignal {
    return this.end.signal
  }

  /** Why a write failed, such as a full disk. Null if no write failed, or the reader has closed the pipe. */
  get failure(): Error | null {
    return this.error
  }

  /**
   * From now on, a failed write only loses its text: `ended` and `failure` stay unchanged. For commands that hold a
   * registration or supervise a server. Later writes are still tried: a disk may have space again, or a named pipe
   * another reader. If more than 1 MiB is waiting for a slow reader, further text is lost.
   */
  ignoreFailures(): void {
    this.ignoresFailures = true
  }

  /** Once `signal` is aborted, `isBehind` is false, so that the command no longer waits for a slow reader. */
  interruptBy(signal: AbortSignal): void {
    const interrupt = () => {
      this.isInterrupted = true
      this.resume()
    }
    if (signal.aborted) interrupt()
    else signal.addEventListener('abort', interrupt, { once: true })
  }

  /**
   * From now on, the lines of one turn of the event loop are written by one system call: a system call for each line
   * would double the time per line. Text on standard error may then appear before them.
   */
  collectLines(): void {
    this.collectsLines = true
  }

  /** Whether the reader is slow: lines written now stay in memory until it reads. */
  get isBehind(): boolean {
    return this.stream.writableNeedDrain && !this.end.signal.aborted && !this.isInterrupted
  }

  /** @returns false if the reader is slow: then await {@link drained} before the next write, or memory grows */
  writeLine(line: string): boolean {
    return this.write(`${line}\n`)
  }

  /** Writes text as it is, such as a frame on a terminal. @returns as {@link writeLine} */
  write(text: string): boolean {
    Progress.end()
    if (this.ignoresFailures && this.stream.writableLength > MAX_IGNORED_BYTES) return false
    if (this.collectsLines && this.stream.writableCorked === 0) {
      this.stream.cork()
      setImmediate(() => this.stream.uncork())
    }
    return this.stream.write(text)
  }

  /**
   * Resolves when the reader has caught up, when writing has ended, or when the command is interrupted. Never rejects.
   */
  drained(): Promise<void> {
    if (!this.isBehind) return Promise.resolve()
    return new Promise((resolve) => this.waiting.add(resolve))
  }

  /** Resolves once everything is written, a write has failed, or an interrupted reader has stalled. Never rejects. */
  async flushed(): Promise<void> {
    const written = new Promise<void>((resolve) => this.stream.write('', () => resolve()))
    await (this.isInterrupted ? Promise.race([written, this.stuck()]) : written)
    // The error of a synchronous write, as to a file, is emitted some ticks later.
    await new Promise((resolve) => setImmediate(resolve))
  }

  private async stuck(): Promise<void> {
    for (let left = Number.NaN; left !== this.stream.writableLength; ) {
      left = this.stream.writableLength
      await delay(STALLED_MS, undefined, { ref: false })
    }
  }

  private resume(): void {
    const waiting = [...this.waiting]
    this.waiting.clear()
    for (const resolve of waiting) resolve()
  }

  private failed(error: NodeJS.ErrnoException): void {
    if (this.ignoresFailures || this.end.signal.aborted) return
    // On a terminal, EIO means that the terminal was closed; on a disk, it means a fault.
    const isReaderGone = READER_GONE.has(error.code ?? '') || (this.stream.isTTY && error.code === 'EIO')
    if (!isReaderGone) this.error = error
    this.end.abort()
    this.resume()
  }
}
