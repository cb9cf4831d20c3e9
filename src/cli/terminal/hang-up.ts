import { isatty } from 'node:tty'

/**
 * Whether the terminal that the process was started on has been closed: SIGHUP then means the end, also to a server that
 * reads its certificates again at SIGHUP.
 */
export function hasHungUp(): boolean {
  const { stdout, stderr } = process
  return [stdout, stderr].some(({ isTTY, fd }) => isTTY && !isatty(fd))
}
