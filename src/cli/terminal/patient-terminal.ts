import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** The file behind standard output, as Linux names it; elsewhere the terminal that controls the process. */
const FILES = ['/proc/self/fd/1', '/dev/tty']

/** At the end, a terminal that takes nothing for this long gets no more. */
const STALLED_MS = 500
const POLL_MS = 20

const NOTHING = Buffer.alloc(0)

/**
 * A terminal that is never waited for. Node writes to terminals synchronously: one that takes nothing, as after Ctrl-S
 * or behind a connection that hangs, would stop a server with all of its calls.
 */
export class PatientTerminal {
  private rest: Buffer = NOTHING
  private isGone = false

  private constructor(private readonly fd: number) {}

  /** Standard output's terminal, opened once more; null if the system does not allow it, as after su. */
  static open(): PatientTerminal | null {
    const { O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants
    for (const file of FILES) {
      try {
        return new PatientTerminal(openSync(file, O_WRONLY | O_NOCTTY | O_NONBLOCK))
      } catch {
        // The next one may do.
      }
    }
    return null
  }

  /** Writes all of the text, or nothing while the terminal still has to take an earlier one. @returns whether it did */
  write(text: string): boolean {
    if (!this.flush()) return false
    this.rest = Buffer.from(text)
    this.flush()
    return true
  }

  /** Writes a last text, if the terminal takes it, and closes. */
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

  /** @returns whether nothing is left to be written */
  private flush(): boolean {
    try {
      while (this.rest.length > 0 && !this.isGone)
        this.rest = this.rest.subarray(writeSync(this.fd, this.rest))
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'EAGAIN') return false
      // The terminal was closed.
      this.isGone = true
    }
    this.rest = NOTHING
    return true
  }
}
