import { CLEAR_LINE } from './countdown.js'

/** Work that ends sooner shows no progress. */
const FIRST_PAINT_MS = 1_000
const REPAINT_MS = 200

/** A line of progress on standard error, while it is a terminal. It is painted when `update` is called. */
export class ProgressLine implements Disposable {
  private nextMs: number
  private isPainted = false

  /** @param nowMs a clock that only goes forward */
  constructor(
    private readonly stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>,
    private readonly nowMs: () => number,
  ) {
    this.nextMs = nowMs() + FIRST_PAINT_MS
  }

  update(line: () => string): void {
    const nowMs = this.nowMs()
    if (!this.stream.isTTY || nowMs < this.nextMs) return
    this.nextMs = nowMs + REPAINT_MS
    this.isPainted = true
    this.stream.write(`${CLEAR_LINE}${line().slice(0, this.stream.columns)}`)
  }

  /** Clears the line, so that other output can follow. */
  clear(): void {
    if (this.isPainted) this.stream.write(CLEAR_LINE)
    this.isPainted = false
  }

  [Symbol.dispose](): void {
    this.clear()
  }
}
