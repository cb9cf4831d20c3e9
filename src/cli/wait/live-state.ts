import type { Progress } from '../output/progress.js'
import { visible } from '../terminal/visible.js'

/** Shows the state of a wait: on a terminal, one line with the remaining time; elsewhere, a line for each change. */
export class LiveState {
  private now = 'nothing is known yet'
  private readonly endMs: number

  constructor(
    timeoutMs: number,
    private readonly progress: Progress,
    private readonly write: (line: string) => void,
  ) {
    this.endMs = performance.now() + timeoutMs
    this.show()
  }

  change(now: string): void {
    this.now = now
    if (!this.progress.isShown) this.write(`  now: ${visible(now)}`)
  }

  /** Writes a line above the state. */
  remark(line: string): void {
    this.write(line)
    this.show()
  }

  private show(): void {
    this.progress.show(() => {
      const leftMs = Math.max(0, this.endMs - performance.now())
      return `  now: ${visible(this.now)}; ${Math.ceil(leftMs / 1_000)}s left`
    })
  }
}
