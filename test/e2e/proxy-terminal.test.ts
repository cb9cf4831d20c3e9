import { expect, it } from 'vitest'
import { putAll } from '../support/etcd-state.js'
import { unary } from '../support/four-kinds.js'
import { withoutColors } from '../support/palettes.js'
import { backend, clientOf, shows, stopAfterEach } from '../support/proxy-terminal.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

const LEAVE = '\u001b[?1049l'

stopAfterEach()

it('a proxy shows shares, expected shares and the verdict on the calls, and restores the terminal', async () => {
  const backends = await Promise.all([backend(), backend(), backend()])
  const weights = [1, 1, 8]
  await putAll(
    etcd,
    'hello',
    backends.map(({ addr }, at) => ({ addr, weight: weights[at] ?? 1 })),
  )
  const proxy = disco.onTerminal(120, 30, 'proxy', 'hello', '--listen', ':0')
  await shows(proxy, /3 endpoints, 3 READY · 0 calls, 0 open/)
  expect(withoutColors(proxy.stdout)).toContain('NONE  no call was made')
  const client = clientOf(proxy)
  for (let call = 0; call < 100; call++) await unary(client)
  await shows(proxy, /100 calls, 0 open/)
  await shows(proxy, /PASS {2}follows the weights: largest gap [\d.]+ calls?, 2 allowed/)
  for (const [at, { addr }] of backends.entries()) {
    const share = at < 2 ? '10 +10\\.0% +10\\.0%' : '80 +80\\.0% +80\\.0%'
    await shows(proxy, new RegExp(`${addr} +${weights[at]} +${share}`))
  }
  const [first] = backends
  if (!first) throw new Error('no backend')
  await disco.run('weight', 'hello', first.addr, '0')
  await shows(proxy, new RegExp(`${first.addr} +0 .*drained`))
  first.stop()
  const { code, stdout } = await proxy.pressCtrlC()
  expect(code).toBe(0)
  expect(stdout.split(LEAVE)).toHaveLength(2)
  expect(stdout.lastIndexOf('\u001b[?25h')).toBeGreaterThan(stdout.lastIndexOf('\u001b[?25l'))
  const left = withoutColors(stdout.slice(stdout.lastIndexOf(LEAVE)))
  for (const shown of ['3 endpoints, 2 READY', '100 calls', 'PASS', 'drained', 'no new calls'])
    expect(left).toContain(shown)
})

it('a proxy wraps the lines that it leaves on the terminal between words', async () => {
  const proxy = disco.onTerminal(70, 20, 'proxy', 'hello', '--listen', ':0', '--endpoints', '127.0.0.1:1')
  await shows(proxy, /there is no/)
  const { code, stdout } = await proxy.pressCtrlC()
  expect(code).toBe(0)
  const left = withoutColors(stdout.slice(stdout.lastIndexOf(LEAVE) + LEAVE.length)).split(/\r?\n/)
  expect(left.some((line) => line.includes('etcd is not reachable'))).toBe(true)
  expect(left.filter((line) => line.length > 70)).toEqual([])
})
