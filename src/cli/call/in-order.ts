import type { Reader } from '../../grpc/invoker.js'

/** Shows results in the order of their arrival, even if some of them can be shown only after a wait. */
export class InOrder implements Reader {
  /** Resolves when the last result has been shown; null if no result is waiting. */
  private last: Promise<void> | null = null
  private failure: unknown = null

  /** @param reader the reader of the shown results */
  constructor(private readonly reader: Reader) {}

  /**
   * Shows a result: at once if it needs no wait and no earlier result is waiting.
   *
   * @param wait resolves when the result can be shown; null if it can be shown at once
   * @param show shows the result
   */
  show(wait: (() => Promise<void>) | null, show: () => void): void {
    if (wait === null && this.last === null) {
      show()
      return
    }
    const own = (this.last ?? Promise.resolve())
      .then(wait ?? undefined)
      .then(show)
      .catch((error: unknown) => {
        this.failure ??= error
      })
      .finally(() => {
        if (this.last === own) this.last = null
      })
    this.last = own
  }

  /** Resolves when all results have been shown. @throws the first error of a `wait` or a `show` */
  async settled(): Promise<void> {
    while (this.last) await this.last
    if (this.failure !== null) throw this.failure
  }

  get isBehind(): boolean {
    return this.last !== null || this.reader.isBehind
  }

  async drained(): Promise<void> {
    while (this.last) await this.last
    if (this.reader.isBehind) await this.reader.drained()
  }
}
