import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { startGreeter } from '../../src/dev/greeter.js'
import type { Disco, OutputKind } from './disco.js'
import type { Etcd } from './etcd.js'
import { putAll } from './etcd-state.js'

export const SHELL_KINDS: readonly OutputKind[] = ['pipe', 'named pipe', 'process substitution']

/** Says on standard error that nobody reads any more: the shell's own descriptor is closed by then, too. */
export const LEAVES_AFTER_A_LINE = 'head -1; exec <&-; echo left >&2'

/** Nothing listens there. */
const ADDED = '127.0.0.1:1'

const add = (etcd: Etcd) => putAll(etcd, 'hello', [{ addr: ADDED }])

/** A command that prints a line at each change, until it is stopped. */
export interface StreamingCommand {
  readonly args: readonly string[]
  /** What makes the command write another line. */
  readonly change: (etcd: Etcd) => Promise<void>
  /** What that line has, and no line before. */
  readonly changed: string
}

export const WATCH: StreamingCommand = { args: ['watch', 'hello'], change: add, changed: ADDED }

export const HEALTH: StreamingCommand = { args: ['health', 'hello', '--watch'], change: add, changed: ADDED }

export const CALL: StreamingCommand = {
  args: ['call', 'hello', 'SayHello', '-o', 'ndjson', '--n', '100000', '--rate', '20'],
  change: async () => undefined,
  changed: '"n":40,',
}

/** Tests in the file that calls it that what they print comes through, and that they end with their reader. */
export function describeStreams(etcd: Etcd, disco: Disco, ...commands: readonly StreamingCommand[]): void {
  describe.each(commands)('disco $args', ({ args, change, changed }) => {
    test('goes on in a pipe, a named pipe, a process substitution, a terminal and on a small heap', async () => {
      const greeter = await startGreeter({ port: 0 })
      try {
        await putAll(etcd, 'hello', [{ addr: greeter.addr }])
        const running = [
          ...[...SHELL_KINDS, 'terminal' as const].map((kind) => disco.into(kind, 'cat', ...args)),
          disco.onSmallHeap(64).into('pipe', 'cat', ...args),
        ]
        await Promise.all(running.map((one) => one.printed(/synced|127\.0\.0\.1:\d+/)))
        // Longer than any of them took to end by itself when descriptors were polled.
        await delay(500)
        await change(etcd)
        await Promise.all(running.map((one) => one.printed(changed)))
      } finally {
        greeter.stop()
      }
    })

    test.each(SHELL_KINDS)('ends quietly with 0 after the reader of a %s has left', async (kind) => {
      const greeter = await startGreeter({ port: 0 })
      try {
        await putAll(etcd, 'hello', [{ addr: greeter.addr }])
        const left = disco.into(kind, LEAVES_AFTER_A_LINE, ...args)
        await left.printed('left')
        await change(etcd)
        const { code, stdout, stderr } = await left.exited()
        expect({ code, stderr }).toEqual({ code: 0, stderr: 'left\n' })
        expect(stdout.split('\n')).toHaveLength(2)
      } finally {
        greeter.stop()
      }
    })
  })
}
