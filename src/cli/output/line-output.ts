import { once } from 'node:events'
import type { Writable } from 'node:stream'

/** How a write ends when the other end of a pipe or socket has been closed. */
const READER_GONE = new Set(['EPIPE', 'ECONNRESET'])

/**
 * Writes text to a stream that another process reads, such as standard output. Reports backpressure, and that a
 * write failed: an unhandled 'error' event would end the process.
 */
export class LineOutput {
  private readonly end = new AbortController()
  private error: Error | null = null
  private ignoresFailures = false

  constructor(private readonly stream: Writable & { readonly isTTY?: boolean }) {
    stream.on('error', (error: NodeJS.ErrnoException) => this.failed(error))
  }

  /**
   * Aborted when a write fails: the reader has gone, or the disk is full. Nothing is polled: a quiet output
   * notices at its next write.
   */
  get ended(): AbortSignal {
    return this.end.signal
  }

  /** Why a write failed, such as a full disk. Null where none failed, and where the reader has gone. */
  get failure(): Error | null {
    return this.error
  }

  /**
   * From now on a failed write loses its text and has no other effect: `ended` and `failure` stay as they are.
   * For commands that hold a registration or a server. Later writes are still tried: a disk may have space
   * again, a named pipe another reader.
   */
  ignoreFailures(): void {
    this.ignoresFailures = true
  }

  /** @returns false when the reader is slow: await {@link drained} before the next write, or memory grows */
  writeLine(line: string): boolean {
    return this.write(`${line}\n`)
  }

  /** Text as it is, such as a frame on a terminal. @returns as {@link writeLine} */
  write(text: string): boolean {
    return this.stream.write(text)
  }

  /** Resolves once the stream takes more without buffering it, or takes nothing any more. Never rejects. */
  async drained(): Promise<void> {
    if (!this.stream.writableNeedDrain || this.end.signal.aborted) return
    try {
      await once(this.stream, 'drain', { signal: this.end.signal })
    } catch {
      // `ended` was aborted, or the stream emitted the error that aborts it.
    }
  }

  /** Resolves once everything has been handed to the system, or cannot be. Never rejects. */
  async flushed(): Promise<void> {
    await new Promise<void>((resolve) => this.stream.write('', () => resolve()))
    // The error of a synchronous write, as to a file, is emitted some ticks later.
    await new Promise((resolve) => setImmediate(resolve))
  }

  private failed(error: NodeJS.ErrnoException): void {
    if (this.ignoresFailures || this.end.signal.aborted) return
    // A terminal that was closed answers EIO, where a disk would mean that it is broken.
    const isReaderGone = READER_GONE.has(error.code ?? '') || (this.stream.isTTY && error.code === 'EIO')
    if (!isReaderGone) this.error = error
    this.end.abort()
  }
}
