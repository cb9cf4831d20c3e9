import type { Reader } from '../../grpc/invoker.js'

/** Shows things in the order in which they came, although some are shown only after a wait. */
export class InOrder implements Reader {
  /** Resolves when what came last is shown; null where nothing waits. */
  private last: Promise<void> | null = null
  private failure: unknown = null

  /** @param reader of what is shown */
  constructor(private readonly reader: Reader) {}

  /**
   * Shows at once if nothing waits before it and there is nothing to wait for.
   *
   * @param wait null for nothing to wait for
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

  /** @throws what showing threw */
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
