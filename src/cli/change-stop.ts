import { DiscoError } from '../domain/errors.js'
import type { Interruption } from '../registry/registry.js'
import { StopSignals } from './stop-signals.js'

/**
 * SIGINT, SIGTERM and SIGHUP during a command that changes a registry. The first ends reads at once; for a change
 * that was sent, the command waits for the answer, and prints that it waits. The second signal ends that wait as well: the
 * outcome is then unknown.
 */
export class ChangeStop implements Interruption, Disposable {
  private readonly stop = new StopSignals()
  private readonly first = new AbortController()
  private readonly second = new AbortController()
  private unanswered = 0
  private hasSent = false

  /** @param remark prints a line on standard error */
  constructor(private readonly remark: (line: string) => void) {
    this.stop.onEach(() => this.onSignal())
  }

  get once(): AbortSignal {
    return this.first.signal
  }

  get twice(): AbortSignal {
    return this.second.signal
  }

  get thrice(): AbortSignal {
    return this.stop.thrice
  }

  onWrite(): () => void {
    this.unanswered++
    this.hasSent = true
    return () => {
      this.unanswered--
    }
  }

  [Symbol.dispose](): void {
    this.stop[Symbol.dispose]()
  }

  private onSignal(): void {
    if (this.once.aborted) {
      this.second.abort(new DiscoError('INTERRUPTED', 'Interrupted before etcd answered'))
      return
    }
    if (this.unanswered > 0) {
      this.remark('→ waiting for etcd: a change was sent. Ctrl-C again: end now, with its outcome unknown')
    }
    const what = this.hasSent ? 'nothing else' : 'nothing'
    this.first.abort(new DiscoError('INTERRUPTED', `Interrupted: ${what} was changed`))
  }
}
