import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SCRIPTS } from '../../src/cli/completion/scripts.js'
import { environmentOf } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { registration } from '../support/etcd-state.js'
import { parsePowerShell } from '../support/powershell.js'
import { type InteractiveShell, ShellTerminal } from '../support/shells.js'

const etcd = await RealEtcd.start()
afterAll(() => etcd.stop())

beforeAll(async () => {
  await etcd.ctl('put', ...registration('hello', '127.0.0.1:1001', { weight: 1 }))
  await etcd.ctl('put', ...registration('hello', '127.0.0.1:1002', { weight: 3 }))
  await etcd.ctl('put', ...registration('payments', '10.0.0.5:80', { weight: 1 }))
  const metadata = { zone: 'b>notes.txt' }
  await etcd.ctl('put', ...registration('orders', '10.0.0.6:80', { version: '1.0.0', metadata }))
})

/** How each shell loads the script, as documented in `disco completion --help` and in the script itself. */
const LOAD: readonly [InteractiveShell, string][] = [
  ['bash', 'source <(disco completion bash)'],
  ['zsh', 'source <(disco completion zsh)'],
  ['fish', 'disco completion fish | source'],
]

describe.each(LOAD)('Tab in a real %s', (shell, load) => {
  const open = (endpoint: string) => {
    const { XDG_CACHE_HOME: _, ...env } = environmentOf(endpoint)
    const { PATH: __, HOME: ___, ...settings } = env
    const terminal = ShellTerminal.open(shell, settings)
    terminal.type(`${load}\n`)
    return terminal
  }

  // With time for many Tabs, each of which starts the tool.
  test('completes commands, flags, services, addresses with colons, choices and file names', async () => {
    using terminal = open(etcd.endpoint)
    await terminal.completes('disco unre', /disco unregister/)
    await terminal.completes('disco drain pay', /disco drain payments/)
    await terminal.completes('disco drain hello 127.0.0.1:', /127\.0\.0\.1:100/)
    await terminal.completes('disco drain payments 10', /disco drain payments 10\.0\.0\.5:80/)
    await terminal.completes('disco drain hello --dry', /disco drain hello --dry-run/)
    await terminal.completes('disco ls hello --output=js', /disco ls hello --output=json/)
    await terminal.completes('disco context sh', /disco context show/)
    await terminal.completes('disco call hello -d @/etc/hostn', /@\/etc\/hostname|-d @\/etc\/hostn/)
    await terminal.completes('disco ls --cacert /etc/hostn', /--cacert \/etc\/hostname/)
  }, 180_000)

  test('does not write to a file that a value in the registry names in a redirection', async () => {
    using terminal = open(etcd.endpoint)
    await terminal.completes('disco ls orders -l ver', /-l version=/)
    if (shell !== 'bash') {
      await terminal.completes('disco ls orders -l zo', /-l (?:zone=b\\>notes\.txt|'zone=b>notes\.txt')/)
      return
    }
    terminal.clear()
    terminal.type('disco ls orders -l zo\t\t')
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    expect(terminal.screen).toMatch(/disco ls orders -l zo$/)
  })

  test('prints nothing while etcd is unavailable, and leaves the typed line unchanged', async () => {
    using terminal = open('127.0.0.1:1')
    await terminal.completes('disco unre', /disco unregister/)
    terminal.clear()
    terminal.type('disco ls hel\t\t')
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    expect(terminal.screen).toMatch(/disco ls hel$/)
  })
})

test('PowerShell parses the completion script, and rejects a broken copy', async () => {
  const script = SCRIPTS.powershell
  expect(await parsePowerShell(script)).toMatchObject({ isValid: true })
  expect(await parsePowerShell(script.slice(0, -1))).toMatchObject({ isValid: false })
  expect(await parsePowerShell(script.replace('foreach (', 'foreach '))).toMatchObject({ isValid: false })
})
