import { fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'

/**
 * Calls back when whoever reads our standard output is gone, as `head` is after its lines: a write would tell
 * too, but a quiet stream may not write for hours. Where standard output is no pipe, never.
 *
 * A second descriptor of the same pipe is polled, for Node's own is not: the poll ends when the reader does.
 *
 * @returns stops looking
 */
export function onClosedPipe(callback: () => void): () => void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') callback()
  })
  try {
    if (!fstatSync(1).isFIFO()) return () => undefined
    const poll = new Socket({ fd: openSync('/dev/fd/1', 'w'), readable: true, writable: false })
    poll.unref()
    poll.on('error', callback).on('close', callback).resume()
    return () => {
      poll.removeAllListeners().destroy()
    }
  } catch {
    // Without such a descriptor (another system) the next write tells.
    return () => undefined
  }
}

/**
 * What is written where nobody reads any more, a pipe or a terminal that is gone, is lost, and nothing more: by
 * default a failed write ends the process, and with it whatever that looks after.
 */
export function outlive(stream: NodeJS.WriteStream): void {
  stream.removeAllListeners('error').on('error', () => undefined)
}
