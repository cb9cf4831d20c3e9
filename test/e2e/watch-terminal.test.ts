import { describe, expect, test } from 'vitest'
import { registration } from '../support/etcd-state.js'
import { withoutColors } from '../support/palettes.js'
import { toolOnOwnEtcd } from '../support/tool-on-etcd.js'
import { Writer } from '../support/writer.js'

const { etcd, disco } = await toolOnOwnEtcd()

const A = '127.0.0.1:1001'
const B = '127.0.0.1:1002'

async function put(addr: string, weight: number): Promise<void> {
  await etcd.ctl('put', ...registration('hello', addr, { weight }))
}

describe('watch on a terminal', () => {
  const ENTER = '\u001b[?1049h'
  const LEAVE = '\u001b[?1049l'
  const HIDE_CURSOR = '\u001b[?25l'
  const SHOW_CURSOR = '\u001b[?25h'

  test('paints a table above a log, and leaves the terminal as it found it by Ctrl-C', async () => {
    await put(A, 1)
    const watch = disco.onTerminal(80, 24, 'watch', 'hello')
    await watch.printed('synced   1 endpoint, weight 1')
    await put(B, 3)
    await watch.printed(`hello ${B}  weight 3  share 75.0%`)
    expect(watch.stdout).not.toContain(LEAVE)
    const told = watch.stdout.length
    const { code, stdout } = await watch.pressCtrlC()
    expect(code).toBe(130)
    expect(stdout.indexOf(ENTER)).toBeGreaterThanOrEqual(0)
    expect(stdout.split(ENTER)).toHaveLength(2)
    expect(stdout.indexOf(HIDE_CURSOR)).toBeGreaterThan(stdout.indexOf(ENTER))
    expect(stdout.lastIndexOf(LEAVE)).toBeGreaterThanOrEqual(told - LEAVE.length)
    expect(stdout.lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(stdout.lastIndexOf(HIDE_CURSOR))
    const left = stdout.slice(stdout.lastIndexOf(LEAVE))
    for (const shown of [A, B, '75.0%', 'synced']) expect(left).toContain(shown)
  })

  test('no line of a frame is wider than the terminal, and no text of the registry drives it', async () => {
    const [key, value] = registration('hello', A, { version: 'v'.repeat(60) })
    await etcd.ctl('put', key, value)
    await etcd.ctl('put', '/hello/\u001b[2J', 'x')
    const watch = disco.onTerminal(40, 10, 'watch', 'hello')
    await watch.printed('synced')
    const { stdout } = await watch.pressCtrlC()
    const frames = stdout.slice(
      stdout.indexOf(HIDE_CURSOR) + HIDE_CURSOR.length,
      stdout.lastIndexOf(SHOW_CURSOR),
    )
    // The terminal itself echoes the ^C.
    const lines = frames
      .replaceAll('^C', '')
      // Where a frame begins.
      .replaceAll('\u001b[H', '\r\n')
      .replaceAll(/\u001b\[[0-9;]*[A-Za-z]/g, '')
      .split(/\r+\n/)
    for (const line of lines) expect([...line].length, line).toBeLessThanOrEqual(40)
    expect(stdout).not.toContain('\u001b[2J')
  })

  test('all services: each endpoint under the name of its service, with its share of that', async () => {
    await etcd.ctl('put', ...registration('hello', A, { weight: 0 }))
    await etcd.ctl('put', ...registration('pay', A, { weight: 5 }))
    await etcd.ctl('put', ...registration('pay', B, { weight: 15 }))
    const watch = disco.onTerminal(100, 24, 'watch')
    await watch.printed('synced   3 endpoints, weight 20')
    const { stdout } = await watch.pressCtrlC()
    const left = withoutColors(stdout.slice(stdout.lastIndexOf(LEAVE)))
    expect(left).toMatch(/SERVICE +ADDRESS/)
    expect(left).toMatch(new RegExp(`hello +${A} +0 +100\\.0% .*weights unset`))
    expect(left).toMatch(new RegExp(`pay +${A} +5 +25\\.0%`))
    expect(left).toMatch(new RegExp(`pay +${B} +15 +75\\.0%`))
  })

  test('a burst of changes is painted in few frames, and logged whole', async () => {
    for (let port = 1; port <= 30; port++) await put(`127.0.0.1:${port}`, 1)
    const watch = disco.onTerminal(100, 12, 'watch', 'hello')
    await watch.printed('synced   30 endpoints')
    using writer = new Writer(etcd.endpoint, 'hello')
    const ports = Array.from({ length: 100 }, (_, at) => at)
    await writer.putTogether(ports, 3)
    await watch.printed(/… 12\d more/)
    const frames = watch.stdout.split('\u001b[H').length - 1
    const { stdout } = await watch.pressCtrlC()
    expect(frames).toBeLessThan(50)
    const left = stdout.slice(stdout.lastIndexOf(LEAVE))
    expect(left.match(/\+ added/g)).toHaveLength(100)
    expect(left).toMatch(/… 12\d more/)
  })

  test('NDJSON comes without a screen when asked for', async () => {
    const json = disco.onTerminal(80, 24, 'watch', 'hello', '-o', 'ndjson')
    await json.printed('"type":"synced"')
    const { code, stdout } = await json.pressCtrlC()
    expect(code).toBe(130)
    expect(stdout).not.toContain('\u001b')
  })
})
