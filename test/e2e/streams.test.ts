import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { startGreeter } from '../../src/dev/greeter.js'
import { type OutputKind, type Process, until } from '../support/disco.js'
import { registration } from '../support/etcd-state.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

const SHELL_KINDS: readonly OutputKind[] = ['pipe', 'named pipe', 'process substitution']

/** Says on standard error that nobody reads any more: the shell's own descriptor is closed by then, too. */
const LEAVES_AFTER_A_LINE = 'head -1; exec <&-; echo left >&2'

/** Nothing listens there. */
const ADDED = '127.0.0.1:1'

async function put(addr: string, weight = 1): Promise<void> {
  await etcd.ctl('put', ...registration('hello', addr, { weight }))
}

interface StreamingCommand {
  readonly args: readonly string[]
  /** What makes the command write another line. */
  readonly change: () => Promise<void>
  /** What that line has, and no line before. */
  readonly changed: string
}

const COMMANDS: readonly StreamingCommand[] = [
  { args: ['watch', 'hello'], change: () => put(ADDED), changed: ADDED },
  { args: ['health', 'hello', '--watch'], change: () => put(ADDED), changed: ADDED },
  {
    args: ['call', 'hello', 'SayHello', '-o', 'ndjson', '--n', '100000', '--rate', '20'],
    change: async () => undefined,
    changed: '"n":40,',
  },
]

describe.each(COMMANDS)('disco $args', ({ args, change, changed }) => {
  test('goes on in a pipe, a named pipe, a process substitution, a terminal and on a small heap', async () => {
    const greeter = await startGreeter({ port: 0 })
    try {
      await put(greeter.addr)
      const running = [
        ...[...SHELL_KINDS, 'terminal' as const].map((kind) => disco.into(kind, 'cat', ...args)),
        disco.onSmallHeap(64).into('pipe', 'cat', ...args),
      ]
      await Promise.all(running.map((one) => one.printed(/synced|127\.0\.0\.1:\d+/)))
      // Longer than any of them took to end by itself when descriptors were polled.
      await delay(500)
      await change()
      await Promise.all(running.map((one) => one.printed(changed)))
    } finally {
      greeter.stop()
    }
  })

  test.each(SHELL_KINDS)('ends quietly with 0 after the reader of a %s has left', async (kind) => {
    const greeter = await startGreeter({ port: 0 })
    try {
      await put(greeter.addr)
      const left = disco.into(kind, LEAVES_AFTER_A_LINE, ...args)
      await left.printed('left')
      await change()
      const { code, stdout, stderr } = await left.exited()
      expect({ code, stderr }).toEqual({ code: 0, stderr: 'left\n' })
      expect(stdout.split('\n')).toHaveLength(2)
    } finally {
      greeter.stop()
    }
  })
})

describe('register', () => {
  const addrOf = (at: number) => `127.0.0.1:${1001 + at}`

  async function weigh(count: number, weight: number): Promise<void> {
    const { code } = await disco.run('weight', 'hello', '--all', String(weight))
    expect(code).toBe(0)
    await until(
      async () =>
        (await etcd.ctl('get', '/hello/', '--prefix')).split(`"weight":${weight}`).length === count + 1,
      () => `${count} keys with weight ${weight}`,
    )
  }

  test('its events go on in a pipe, a named pipe, a process substitution, a terminal and on a small heap', async () => {
    const kinds = [...SHELL_KINDS, 'terminal'] as const
    const args = (at: number) => ['register', 'hello', addrOf(at), '-o', 'ndjson']
    const running = [
      ...kinds.map((kind, at) => disco.into(kind, 'cat', ...args(at))),
      disco.onSmallHeap(64).into('pipe', 'cat', ...args(kinds.length)),
    ]
    await Promise.all(running.map((one) => one.printed('"type":"added"')))
    await delay(500)
    await weigh(running.length, 7)
    await Promise.all(running.map((one) => one.printed('"type":"weight"')))
    await Promise.all(
      running.map((one, at) => (kinds[at] === 'terminal' ? one.pressCtrlC() : one.end('SIGINT'))),
    )
  })

  test('outlives a reader that leaves, and deregisters when it is stopped', async () => {
    const running = SHELL_KINDS.map((kind, at) =>
      disco.into(kind, LEAVES_AFTER_A_LINE, 'register', 'hello', addrOf(at), '--ttl', '2'),
    )
    await Promise.all(running.map((one) => one.printed('left')))
    await weigh(running.length, 7)
    await delay(2_500)
    await weigh(running.length, 8)
    await Promise.all(running.map((one) => one.end('SIGINT')))
    expect(await etcd.ctl('get', '/hello/', '--prefix')).toBe('')
  })
})

describe('dev', () => {
  test.each(SHELL_KINDS)('outlives the reader of a %s', async (kind) => {
    const dev = disco.into(kind, LEAVES_AFTER_A_LINE, 'dev', '--port', '0', '--backends', '0', '--json')
    await dev.printed('left')
    await expectServing(dev)
  })

  test('outlives the reader of its remarks', async () => {
    const dev = disco.shell('disco dev --port 0 --backends 1 2>&1 | (head -1; exec <&-; echo left >&2)')
    await dev.printed('left')
    await expectServing(dev)
  })
})

/** An embedded registry answers, also some time later. */
async function expectServing(dev: Process): Promise<void> {
  const [, endpoint] = /(127\.0\.0\.1:\d+)/.exec(dev.stdout) ?? []
  await delay(500)
  const listed = await disco.run('ls', '--endpoints', String(endpoint))
  expect(listed.code, listed.stderr).toBe(0)
}
