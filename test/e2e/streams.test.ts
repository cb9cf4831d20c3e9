import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type Process, until } from '../support/disco.js'
import { describeStreams, LEAVES_AFTER_A_LINE, SHELL_KINDS, WATCH } from '../support/streaming-commands.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

describeStreams(etcd, disco, WATCH)

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

  test('prints events to a pipe, a named pipe, a process substitution and a terminal, and on a small heap', async () => {
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

  test('keeps running when its reader exits, and deregisters when it is stopped', async () => {
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
  test.each(SHELL_KINDS)('keeps running when the reader of a %s exits', async (kind) => {
    const dev = disco.into(kind, LEAVES_AFTER_A_LINE, 'dev', '--port', '0', '--backends', '0', '--json')
    await dev.printed('left')
    await expectServing(dev)
  })

  test('keeps running when the reader of its standard error exits', async () => {
    const dev = disco.shell('disco dev --port 0 --backends 1 2>&1 | (head -1; exec <&-; echo left >&2)')
    await dev.printed('left')
    await expectServing(dev)
  })
})

/** Checks that the embedded registry answers after half a second. */
async function expectServing(dev: Process): Promise<void> {
  const [, endpoint] = /(127\.0\.0\.1:\d+)/.exec(dev.stdout) ?? []
  await delay(500)
  const listed = await disco.run('ls', '--endpoints', String(endpoint))
  expect(listed.code, listed.stderr).toBe(0)
}
