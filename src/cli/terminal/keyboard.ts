import type { ReadStream } from 'node:tty'
import { type Key, KeyReader } from './keys.js'

/** The wait for the rest of a sequence after ESC: a slow link may deliver the parts separately. */
const ESCAPE_MS = 100

/**
 * Reads the keys of a terminal in raw mode, one by one and without echo. In raw mode, Ctrl-C and Ctrl-Z send no
 * signals: they arrive as keys.
 */
export class Keyboard {
  private readonly reader = new KeyReader()
  private timer: NodeJS.Timeout | undefined
  private readonly read = (input: string) => {
    clearTimeout(this.timer)
    for (const key of this.reader.read(input)) this.onKey(key)
    if (this.reader.isWaiting) this.timer = setTimeout(() => this.flush(), ESCAPE_MS)
  }
  /** Reading a closed terminal fails with EIO. The error is ignored, because SIGHUP ends the process. */
  private readonly ignore = () => undefined

  private constructor(
    private readonly input: ReadStream,
    private readonly onKey: (key: Key) => void,
  ) {}

  /** Null if the input is not a terminal. */
  static open(input: ReadStream, onKey: (key: Key) => void): Keyboard | null {
    if (!input.isTTY) return null
    const keyboard = new Keyboard(input, onKey)
    input.setEncoding('utf8').on('data', keyboard.read).on('error', keyboard.ignore)
    keyboard.resume()
    return keyboard
  }

  /** Leaves raw mode, such as before the process stops. */
  suspend(): void {
    this.input.setRawMode(false)
  }

  resume(): void {
    this.input.setRawMode(true)
    this.input.resume()
  }

  close(): void {
    clearTimeout(this.timer)
    this.input.off('data', this.read).off('error', this.ignore)
    this.suspend()
    this.input.pause()
  }

  private flush(): void {
    for (const key of this.reader.flush()) this.onKey(key)
  }
}
