import { existsSync, readFileSync } from 'node:fs'

/** A shell script as a command. It prints its process id once its trap for SIGTERM is set. */
export function script(body: string, { onTerm }: { onTerm?: string } = {}): string[] {
  const trap = onTerm === undefined ? '' : `trap '${onTerm}' TERM; `
  return ['bash', '--norc', '-c', `${trap}echo "pid $$"; ${body}`]
}

/** The body of a script that runs until it is killed. */
export const WAITS = 'while :; do sleep 0.1; done'

/** The process id that a script has printed, such as `pid 4711`. */
export function pidIn(text: string): number {
  const [, pid] = /pid (\d+)/.exec(text) ?? []
  if (pid === undefined) throw new Error(`no pid in ${text}`)
  return Number(pid)
}

/** Whether a process exists. A zombie, which has ended but was not reaped by its parent, does not count. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0) && !isZombie(pid)
  } catch {
    return false
  }
}

function isZombie(pid: number): boolean {
  const stat = `/proc/${pid}/stat`
  return existsSync(stat) && /\) Z /.test(readFileSync(stat, 'utf8'))
}
