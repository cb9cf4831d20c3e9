import stringWidth from 'string-width'
import { describe, expect, test } from 'vitest'
import { Screen } from '../support/emulator.js'
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

const LEGEND = '● leased  ◐ drained  ✗ problem'

describe('watch on a terminal', () => {
  test('paints a table above a log, and restores the terminal on Ctrl-C', async () => {
    await put(A, 1)
    const watch = disco.onTerminal(80, 24, 'watch', 'hello')
    const screen = new Screen(watch, 80, 24)
    await screen.shows('synced   1 endpoint, weight 1')
    await put(B, 3)
    const [title, head, first, second, legend, ...log] = await screen.shows('+ added')
    expect(title).toMatch(new RegExp(`^hello · ${etcd.endpoint} · rev \\d+ · 2 endpoints · live$`))
    expect(head).toMatch(/^ {3}ADDRESS +VERSION +WEIGHT +SHARE +LEASE +REV +NOTE$/)
    expect(first).toMatch(`✗  ${A}`)
    expect(second).toMatch(`✗  ${B}`)
    expect(legend).toBe(`${LEGEND}   ↑↓ PgUp PgDn  / filter  s sort  q quit`)
    expect(log.filter((line) => line !== '')).toEqual([
      expect.stringMatching(/synced {3}1 endpoint, weight 1$/),
      expect.stringMatching(/\+ added {2}hello 127\.0\.0\.1:1002 {2}weight 3 {2}share 75\.0%$/),
    ])
    const { code } = await watch.pressCtrlC()
    expect(code).toBe(130)
    const left = (await screen.lines()).filter((line) => line !== '')
    expect(left.slice(0, 4)).toEqual([title, head, first, second])
    expect(left.slice(4)).toEqual(log.filter((line) => line !== ''))
  })

  test('paints no line wider than the terminal, and no control sequence from the registry', async () => {
    const [key, value] = registration('hello', A, { version: 'v'.repeat(60) })
    await etcd.ctl('put', key, value)
    await etcd.ctl('put', '/hello/\u001b[2J', 'x')
    await etcd.ctl(
      'put',
      ...registration('hello', '日本語の名前のホスト:1', { version: '語👩‍👩‍👧‍👦e\u0301' }),
    )
    const watch = disco.onTerminal(40, 10, 'watch', 'hello')
    const screen = new Screen(watch, 40, 10)
    const [title, head, ...rows] = await screen.shows('synced')
    expect(title).toMatch(/^hello · .* · live$/)
    expect(head).toMatch(/^ {3}ADDRESS/)
    for (const row of rows.slice(0, 3)) expect(row).toMatch(/^✗ {2}\S+ +\S/)
    expect(rows.slice(0, 3).join('\n')).toContain('…')
    for (const row of rows) expect(stringWidth(row)).toBeLessThanOrEqual(40)
    expect(rows[3]).toMatch('/ filter  s sort  q quit')
    const { stdout } = await watch.pressCtrlC()
    expect(stdout).not.toContain('\u001b[2J')
  })

  test('of all services shows each endpoint with the name of its service and its share in that service', async () => {
    await etcd.ctl('put', ...registration('hello', A, { weight: 0 }))
    await etcd.ctl('put', ...registration('pay', A, { weight: 5 }))
    await etcd.ctl('put', ...registration('pay', B, { weight: 15 }))
    const watch = disco.onTerminal(100, 24, 'watch')
    const screen = new Screen(watch, 100, 24)
    await screen.shows('synced   3 endpoints, weight 20')
    await watch.pressCtrlC()
    const left = await screen.text()
    expect(left).toMatch(/SERVICE +ADDRESS/)
    expect(left).toMatch(new RegExp(`hello +${A} +0 +100\\.0% .*weights unset`))
    expect(left).toMatch(new RegExp(`pay +${A} +5 +25\\.0%`))
    expect(left).toMatch(new RegExp(`pay +${B} +15 +75\\.0%`))
  })

  test('scrolls, filters and sorts by keys that are not echoed, and ends on q', async () => {
    for (let port = 101; port <= 130; port++) await put(`127.0.0.1:${port}`, port)
    const watch = disco.onTerminal(80, 14, 'watch', 'hello')
    const screen = new Screen(watch, 80, 14)
    const port = (number: number) => `127.0.0.1:${number} `
    await screen.shows('… 22 more')
    screen.type('\u001b[6~\u001b[B')
    const scrolled = await screen.shows('… 9 above, 13 below')
    expect(scrolled[2]).toContain(port(110))
    screen.type('\u001bOF')
    expect((await screen.shows('… 22 above, 0 below'))[9]).toContain(port(130))
    screen.type('s')
    expect((await screen.shows('by weight'))[2]).toContain(port(130))
    // Pasted text does not act as keys, an escape sequence may arrive in parts, and an unknown sequence is ignored.
    screen.type('\u001b[200~q\r\u001b[201~\u001b[1;5P\u001b')
    await screen.shows('… 22 more')
    screen.type('[999~/')
    screen.type(':12')
    const filtered = await screen.shows('/:12_   10 of 30   Enter: keep')
    expect(filtered.slice(2, 9).map((row) => row.slice(3, 16))).toEqual(
      [129, 128, 127, 126, 125, 124, 123].map((number) => port(number).trim()),
    )
    screen.type('8\r')
    await screen.shows('/:128: 1 of 30, Esc: all')
    screen.type('\u001b')
    await screen.shows('… 22 more')
    screen.type('q')
    const { code } = await watch.exited()
    expect(code).toBe(0)
    expect(await screen.text()).not.toContain('^[')
  })

  test('paints a burst of changes in few frames, logs all of them, and keeps changed rows visible', async () => {
    for (let port = 1; port <= 30; port++) await put(`127.0.0.1:${port}`, 1)
    const watch = disco.onTerminal(100, 12, 'watch', 'hello')
    const screen = new Screen(watch, 100, 12)
    await screen.shows('synced   30 endpoints')
    await put('127.0.0.1:25', 77)
    const shown = await screen.shows('~ weight')
    expect(shown.slice(2, 9).map((row) => row.split(/ +/)[1])).toEqual([
      ...[1, 2, 3, 4, 5].map((port) => `127.0.0.1:${port}`),
      '127.0.0.1:25',
      '24',
    ])
    using writer = new Writer(etcd.endpoint, 'hello')
    const ports = Array.from({ length: 100 }, (_, at) => at)
    await writer.putTogether(ports, 3)
    await screen.shows(/… 12\d more/)
    const frames = watch.stdout.split('\u001b[H').length - 1
    const { stdout } = await watch.pressCtrlC()
    expect(frames).toBeLessThan(50)
    const left = stdout.slice(stdout.lastIndexOf('\u001b[?1049l'))
    expect(left.match(/\+ added/g)).toHaveLength(100)
    expect(withoutColors(left)).toMatch(/… 12\d more/)
  })

  test('prints NDJSON without a screen if requested', async () => {
    const json = disco.onTerminal(80, 24, 'watch', 'hello', '-o', 'ndjson')
    await json.printed('"type":"synced"')
    const { code, stdout } = await json.pressCtrlC()
    expect(code).toBe(130)
    expect(stdout).not.toContain('\u001b')
  })
})
