import { describe, expect, test } from 'vitest'
import type { Process } from '../support/disco.js'
import { Screen } from '../support/emulator.js'
import { registration } from '../support/etcd-state.js'
import { toolOnOwnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnOwnEtcd()

async function put(addr: string, weight: number): Promise<void> {
  await etcd.ctl('put', ...registration('hello', addr, { weight }))
}

describe('watch on a terminal', () => {
  test('shows in its title since when etcd is lost, counts the seconds, and shows when etcd is back', async () => {
    await put('127.0.0.1:1000', 1)
    await put('127.0.0.1:900', 1)
    const watch = disco.onTerminal(80, 24, 'watch', 'hello')
    const screen = new Screen(watch, 80, 24)
    const [title, , first, second] = await screen.shows('synced')
    expect(title).toMatch(`hello · ${etcd.endpoint} · rev`)
    expect(title).toMatch(/2 endpoints · live$/)
    expect(first).toMatch('127.0.0.1:900 ')
    expect(second).toMatch('127.0.0.1:1000 ')
    etcd.pause()
    try {
      // At least two seconds: a busy machine may show an earlier value too late to be seen.
      const [lost = ''] = await screen.shows(/STALE since [0-9:]{8} \(([2-9]|[1-9]\d+)s\), retrying/)
      const inTitle = await screen.cells(0)
      expect(inTitle.slice(lost.indexOf('STALE'), lost.length).every(({ isRed }) => isRed)).toBe(true)
      const inRow = await screen.cells(2)
      expect(inRow.filter(({ text }) => text.trim() !== '').every(({ isDim }) => isDim)).toBe(true)
      await screen.shows('! STALE: the last list is kept; etcd lost')
    } finally {
      etcd.resume()
    }
    await screen.shows('etcd is back')
    await watch.pressCtrlC()
    expect(await screen.text()).toMatch(/^hello · .* · live$/m)
  })

  test('follows the size of the terminal, even if it is too small for any content', async () => {
    for (let port = 101; port <= 130; port++) await put(`127.0.0.1:${port}`, 1)
    const watch = disco.onTerminal(80, 24, 'watch', 'hello')
    const screen = new Screen(watch, 80, 24)
    await screen.shows('… 12 more')
    screen.resize(200, 50)
    // With the space: the title shows the address of etcd, whose port may begin with 130.
    expect((await screen.shows(/127\.0\.0\.1:130 [\s\S]*● leased/))[32]).toMatch('● leased')
    screen.resize(10, 3)
    await screen.shows(/^he… · live\n… 30 more\n● leased …$/)
    screen.resize(1, 1)
    screen.resize(80, 24)
    await screen.shows('… 12 more')
    await watch.pressCtrlC()
  })
})

describe('watch restores the terminal', () => {
  /** Shell commands that print the mode of the terminal. */
  const SHOW_MODE = 'stty -a | grep -ow -e "-\\?icanon" -e "-\\?echo" | tr "\\n" " "'

  /** Starts a watch in a shell that prints the mode of the terminal afterwards. */
  async function watching(tool = disco): Promise<{ shell: Process; screen: Screen }> {
    await put('127.0.0.1:1000', 1)
    const shell = tool.shellOnTerminal(80, 24, `disco watch hello; echo "code $?"; ${SHOW_MODE}`)
    const screen = new Screen(shell, 80, 24)
    await screen.shows('synced')
    return { shell, screen }
  }

  test.each([
    ['q', 0, (screen: Screen) => screen.type('q')],
    ['Ctrl-C', 130, (screen: Screen) => screen.type('\u0003')],
    ['Ctrl-\\', 131, (screen: Screen) => screen.type('\u001c')],
    ['SIGTERM', 130, (screen: Screen) => screen.signal('SIGTERM')],
    ['SIGHUP', 130, (screen: Screen) => screen.signal('SIGHUP')],
    ['SIGQUIT', 131, (screen: Screen) => screen.signal('SIGQUIT')],
  ])('after %s', async (_, code, end) => {
    const { shell, screen } = await watching()
    end(screen)
    await screen.shows(/icanon echo/)
    await shell.exited()
    const left = await screen.text()
    expect(left).toContain(`code ${code}`)
    expect(left).toMatch(/^icanon echo/m)
    if (code !== 131) expect(left).toMatch(/^hello · .* · live$/m)
  })

  test('after a crash', async () => {
    const crash = 'process.on("SIGUSR2",()=>{throw new Error("crash")})'
    const { shell, screen } = await watching(
      disco.with({ node: ['--import', `data:text/javascript,${crash}`] }),
    )
    screen.signal('SIGUSR2')
    await screen.shows(/^icanon echo/m)
    await shell.exited()
    expect(await screen.text()).toMatch('Error: crash')
  })

  test('if etcd is unavailable at the start', async () => {
    const shell = disco
      .with({ env: { DISCO_ENDPOINTS: '127.0.0.1:1' } })
      .shellOnTerminal(80, 24, `disco watch hello; echo "code $?"; ${SHOW_MODE}`)
    const screen = new Screen(shell, 80, 24)
    await screen.shows(/^icanon echo/m)
    await shell.exited()
    expect(await screen.text()).toMatch(/✗ etcd is not reachable at 127\.0\.0\.1:1[\s\S]*code 3/)
  })

  test('while it is stopped by Ctrl-Z, and continues with fg', async () => {
    await put('127.0.0.1:1000', 1)
    const line = `disco watch hello; ${SHOW_MODE}; read answer; fg; echo "code $?"; ${SHOW_MODE}`
    const shell = disco.shellOnTerminal(80, 24, line)
    const screen = new Screen(shell, 80, 24)
    await screen.shows('synced')
    screen.type('\u001a')
    const stopped = await screen.shows(/^icanon echo/m)
    expect(stopped.join('\n')).not.toContain('synced')
    await put('127.0.0.1:1001', 1)
    screen.type('\r')
    await screen.shows(/^hello · [\s\S]*\+ added {2}hello 127\.0\.0\.1:1001/)
    screen.type('q')
    await screen.shows(/code 0\s+icanon echo/)
    await shell.exited()
  })

  test('and ignores Ctrl-Z if no shell could continue it', async () => {
    await put('127.0.0.1:1000', 1)
    const watch = disco.onTerminal(80, 24, 'watch', 'hello')
    const screen = new Screen(watch, 80, 24)
    await screen.shows('synced')
    screen.type('\u001a')
    await put('127.0.0.1:1001', 1)
    await screen.shows('+ added')
    const { code } = await watch.pressCtrlC()
    expect(code).toBe(130)
  })
})
