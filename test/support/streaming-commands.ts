import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { startGreeter } from '../../src/dev/greeter.js'
import type { Disco, OutputKind } from './disco.js'
import type { Etcd } from './etcd.js'
import { putAll } from './etcd-state.js'

export const SHELL_KINDS: readonly OutputKind[] = ['pipe', 'named pipe', 'process substitution']

/** Shell commands of a reader that reads a line, closes its input, and prints "left" on standard error. */
export const LEAVES_AFTER_A_LINE = 'head -1; exec <&-; echo left >&2'

/** An address at which no server listens. */
const ADDED = '127.0.0.1:1'

const add = (etcd: Etcd) => putAll(etcd, 'hello', [{ addr: ADDED }])

/** A command that prints a line for each change, until it is stopped. */
export interface StreamingCommand {
  readonly args: readonly string[]
  /** Makes the command print another line. */
  readonly change: (etcd: Etcd) => Promise<void>
  /** Text that occurs in that line and in no earlier line. */
  readonly changed: string
}

export const WATCH: StreamingCommand = { args: ['watch', 'hello'], change: add, changed: ADDED }

export const HEALTH: StreamingCommand = { args: ['health', 'hello', '--watch'], change: add, changed: ADDED }

export const CALL: StreamingCommand = {
  args: ['call', 'hello', 'SayHello', '-o', 'ndjson', '--n', '100000', '--rate', '20'],
  change: async () => undefined,
  changed: '"n":40,',
}

/** Tests in the calling file that the output of these commands arrives, and that they end when their reader exits. */
export function describeStreams(etcd: Etcd, disco: Disco, ...commands: readonly StreamingCommand[]): void {
  describe.each(commands)('disco $args', ({ args, change, changed }) => {
    test('prints to a pipe, a named pipe, a process substitution and a terminal, and on a small heap', async () => {
      const greeter = await startGreeter({ port: 0 })
      try {
        await putAll(etcd, 'hello', [{ addr: greeter.addr }])
        const running = [
          ...[...SHELL_KINDS, 'terminal' as const].map((kind) => disco.into(kind, 'cat', ...args)),
          disco.onSmallHeap(64).into('pipe', 'cat', ...args),
        ]
        await Promise.all(running.map((one) => one.printed(/synced|127\.0\.0\.1:\d+/)))
        // Commands that polled their descriptors had ended by themselves within this time.
        await delay(500)
        await change(etcd)
        await Promise.all(running.map((one) => one.printed(changed)))
      } finally {
        greeter.stop()
      }
    })

    test.each(SHELL_KINDS)('exits 0 without an error after the reader of a %s has exited', async (kind) => {
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
