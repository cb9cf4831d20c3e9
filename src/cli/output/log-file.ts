import { closeSync, constants, createWriteStream, openSync, type WriteStream } from 'node:fs'
import { DiscoError } from '../../domain/errors.js'
import { systemMessage } from '../../domain/system-message.js'
import { count } from '../terminal/units.js'
import { jsonLine } from '../terminal/visible.js'

/** Maximum number of bytes in memory that wait for a slow disk. Beyond it, lines are dropped. */
const MAX_WAITING_BYTES = 4 * 2 ** 20

/** Appends JSON lines to a file. */
export class LogFile {
  private stream: WriteStream
  /** Number of lines dropped since the last written line. */
  private dropped = 0

  /**
   * @param name the name of the file in messages, such as `access log`
   * @param onProblem called with a sentence for each later failure to open or write the file
   * @throws DiscoError USAGE for a file that cannot be opened
   */
  static open(file: string, name: string, onProblem: (sentence: string) => void): LogFile {
    tryToOpen(file, name)
    return new LogFile(file, name, onProblem)
  }

  private constructor(
    private readonly file: string,
    private readonly name: string,
    private readonly onProblem: (sentence: string) => void,
  ) {
    this.stream = this.open()
  }

  write(document: object): void {
    if (this.stream.writableLength > MAX_WAITING_BYTES || this.stream.errored) {
      this.dropped++
      return
    }
    if (this.dropped > 0 && this.stream.writableLength === 0) {
      this.onProblem(
        `${count(this.dropped, 'line')} of the ${this.name} dropped: it could not be written in time`,
      )
      this.dropped = 0
    }
    this.stream.write(`${jsonLine(document)}\n`)
  }

  /** Opens the file again, for example after a log rotation has renamed it. */
  reopen(): void {
    this.stream.end()
    this.stream = this.open()
  }

  close(): Promise<void> {
    // A stream is closed already if a write to it failed.
    if (this.stream.closed) return Promise.resolve()
    return new Promise((resolve) => {
      this.stream.once('close', resolve)
      this.stream.end()
    })
  }

  private open(): WriteStream {
    return createWriteStream(this.file, { flags: 'a' }).on('error', (error) =>
      this.onProblem(`The ${this.name} cannot be written: ${systemMessage(error)}`),
    )
  }
}

/** Checks that the file can be opened, without waiting for the reader of a named pipe. */
function tryToOpen(file: string, name: string): void {
  const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = constants
  try {
    closeSync(openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK))
  } catch (cause) {
    // ENXIO: the file is a named pipe without a reader. A reader may open it later.
    if ((cause as NodeJS.ErrnoException).code === 'ENXIO') return
    throw new DiscoError('USAGE', `The ${name} cannot be written: ${systemMessage(cause)}`, { cause })
  }
}
