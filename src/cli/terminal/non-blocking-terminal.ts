import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** Paths of the terminal: on Linux that of standard output, elsewhere the controlling terminal of the process. */
const FILES = ['/proc/self/fd/1', '/dev/tty']

/** `end` gives up when the terminal has accepted no text for this time. */
const STALLED_MS = 500
const POLL_MS = 20

const NOTHING = Buffer.alloc(0)

/**
 * Writes to a terminal without blocking. Node writes to terminals synchronously: a terminal that accepts nothing, as
 * after Ctrl-S or behind a hanging connection, would block a server and all of its calls.
 */
export class NonBlockingTerminal {
  private rest: Buffer = NOTHING
  private isGone = false

  private constructor(private readonly fd: number) {}

  /** Opens the terminal of standard output once more; null if the system does not allow it, for example after su. */
  static open(): NonBlockingTerminal | null {
    const { O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants
    for (const file of FILES) {
      try {
        return new NonBlockingTerminal(openSync(file, O_WRONLY | O_NOCTTY | O_NONBLOCK))
      } catch {
        // Try the next file.
      }
    }
    return null
  }

  /** Writes a text, or drops it if an earlier one has not been written yet. @returns false if the text was dropped */
  write(text: string): boolean {
    if (!this.flush()) return false
    this.rest = Buffer.from(text)
    this.flush()
    return true
  }

  /** Writes a last text, as far as the terminal accepts it, and closes the file. */
  async end(text: string): Promise<void> {
    const last = Buffer.from(text)
    this.rest = this.rest.length === 0 ? last : Buffer.concat([this.rest, last])
    let left = Number.NaN
    for (let waitedMs = 0; !this.flush() && waitedMs < STALLED_MS; waitedMs += POLL_MS) {
      if (this.rest.length !== left) waitedMs = 0
      left = this.rest.length
      await delay(POLL_MS)
    }
    closeSync(this.fd)
  }

  /** @returns whether all text has been written */
  private flush(): boolean {
    try {
      while (this.rest.length > 0 && !this.isGone)
        this.rest = this.rest.subarray(writeSync(this.fd, this.rest))
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'EAGAIN') return false
      // Usually EIO: the terminal was closed, and cannot show any further text.
      this.isGone = true
    }
    this.rest = NOTHING
    return true
  }
}
