import type { ReadStream } from 'node:tty'
import { type Key, KeyReader } from './keys.js'

/** After ESC, the rest of a sequence arrives at once, or after the delay of a slow link: xterm and vim wait alike. */
const ESCAPE_MS = 100

/**
 * Keys of a terminal, one by one and without echo. In this mode the terminal makes no signals of Ctrl-C and Ctrl-Z:
 * they are keys.
 */
export class Keyboard {
  private readonly reader = new KeyReader()
  private timer: NodeJS.Timeout | undefined
  private readonly read = (input: string) => {
    clearTimeout(this.timer)
    for (const key of this.reader.read(input)) this.onKey(key)
    if (this.reader.isWaiting) this.timer = setTimeout(() => this.flush(), ESCAPE_MS)
  }
  /** A terminal that was closed reads as EIO; SIGHUP ends the process then. */
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

  /** Gives the terminal back, as before a stop of the process. */
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
