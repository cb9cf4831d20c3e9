import type { RequestListener } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { isatty } from 'node:tty'
import { DiscoError } from '../domain/errors.js'
import type { StopSignals } from './stop-signals.js'
import type { Palette } from './terminal/color.js'
import { visible } from './terminal/visible.js'

/**
 * How long a server waits for its first lists and connections before it is reported as started; it serves meanwhile.
 */
const SETTLE_MS = 5_000

const POLL_MS = 20

/** The listener of a server's admin handler. */
export interface AdminService {
  /** The token that requests must carry; null if they need no token. */
  readonly token: string | null
  /** Starts to listen. @throws DiscoError if it cannot listen */
  start(handler: RequestListener): Promise<AsyncDisposable & { readonly address: string }>
}

/** Waits until `isSettled` returns true, so that the first line shows the endpoints; at most `SETTLE_MS`. */
export async function untilSettled(isSettled: () => boolean, stop: AbortSignal): Promise<void> {
  const endMs = performance.now() + SETTLE_MS
  while (!isSettled() && !stop.aborted && performance.now() < endMs) await delay(POLL_MS)
}

/** Lines of a server about itself. */
export class ServerView {
  constructor(
    protected readonly palette: Palette,
    protected readonly line: (text: string) => void,
  ) {}

  /** @param address the `host:port` of the admin handler */
  admin(address: string): void {
    this.line(`→ admin handler on http://${address}`)
  }

  renewed(): void {
    this.line(`${this.palette.green('✓')} SIGHUP: certificates and log files are read and opened again`)
  }

  problem(sentence: string): void {
    this.line(`${this.palette.red('✗')} ${visible(sentence)}`)
  }
}

/**
 * From now on SIGHUP opens the log file again and reads the certificates; if the terminal has been closed, it ends the
 * command instead.
 *
 * @param view gets the outcome
 * @param renew reads the certificates. Calls do not overlap, so the last read wins
 * @returns a function that removes the handler. Call it before the log file is closed
 */
export function renewAtHangUp(
  stop: StopSignals,
  log: { reopen(): void } | null,
  view: ServerView,
  renew: () => Promise<void>,
): () => void {
  let renewed = Promise.resolve()
  const onHangUp = () => {
    if (hasHungUp()) return stop.end()
    log?.reopen()
    renewed = renewed.then(renew).then(
      () => view.renewed(),
      (thrown) => view.problem(`The certificates stay as they were: ${DiscoError.from(thrown).message}`),
    )
  }
  process.on('SIGHUP', onHangUp)
  return () => void process.off('SIGHUP', onHangUp)
}

/**
 * Whether the terminal that the process was started on has been closed: SIGHUP then ends the command, even a server
 * that otherwise reads its certificates again at SIGHUP.
 */
export function hasHungUp(): boolean {
  const { stdout, stderr } = process
  return [stdout, stderr].some(({ isTTY, fd }) => isTTY && !isatty(fd))
}
