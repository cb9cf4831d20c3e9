import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { startGreeter } from '../../src/dev/greeter.js'
import { putAll, revision } from '../support/etcd-state.js'
import { ResidentTool } from '../support/resident-tool.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()
const folder = mkdtempSync(join(tmpdir(), 'disco-ascii-'))
const greeter = await startGreeter({ port: 0 })
const locales = [{ LANG: 'C' }, { LANG: 'en_US.UTF-8', LC_ALL: 'POSIX' }] as const
const [tool, other] = locales.map((env) => new ResidentTool(etcd.endpoint, env)) as [
  ResidentTool,
  ResidentTool,
]
afterAll(async () => {
  greeter.stop()
  await Promise.all([tool, other].map((one) => one[Symbol.asyncDispose]()))
  rmSync(folder, { recursive: true, maxRetries: 5 })
})

/** A file with an endpoint of hello at another weight, and a new endpoint. */
const EXPORTED = ['127.0.0.1:1', '127.0.0.1:3'].reduce(
  (file, addr) =>
    `${file}  - {service: hello, addr: "${addr}", version: "2.0.0", weight: 7, leased: false, metadata: {}, layout: seed, key: "/hello/2.0.0/${addr}"}\n`,
  'schema: disco.registry/v1\nrev: "1"\nroot: ""\nselection: null\nendpoints:\n',
)
const file = join(folder, 'hello.yaml')
let since: string

beforeEach(async () => {
  since = String(await revision(etcd))
  await putAll(etcd, 'hello', [
    { addr: greeter.addr, version: '1.0.0', weight: 3 },
    { addr: '127.0.0.1:1', version: '2.0.0', weight: 1 },
    { addr: '127.0.0.1:2', version: '2.0.0', weight: 0 },
  ])
})

const NOT_ASCII = /[^\u0000-\u007f]/u

const COMMANDS: readonly (readonly [line: string, code: number])[] = [
  ['ls', 0],
  ['ls hello', 0],
  ['ls hello -o wide --probe', 0],
  ['resolve hello', 0],
  ['health', 7],
  ['doctor', 9],
  ['call hello SayHello --n 100 --connect-deadline 1s', 0],
  ['call hello SayHello --n 20 --policy rr,random --histogram --connect-deadline 1s', 0],
  ['call hello SayHello --connect-deadline 1s', 0],
  ['pick hello --n 100', 0],
  ['shift hello version=2.0.0=50% --dry-run', 0],
  ['weight hello -l version=2.0.0 7 --dry-run', 0],
  ['drain hello -l version=2.0.0 --dry-run', 0],
  ['weight hello -l version=2.0.0 7', 2],
  ['history hello --since SINCE', 0],
  ['watch hello --count 3 --since SINCE -o table', 0],
  ['diff hello --from SINCE', 1],
  ['apply -f FILE --prune --dry-run', 0],
  ['wait hello --for healthy>=9 --timeout 0', 5],
  ['ls helo', 4],
  ['call hello SayHullo', 4],
  ['ls --no-such', 2],
  ['ls -C nowhere', 2],
  ['--help', 0],
]

describe('in a locale without UTF-8', () => {
  test.each(COMMANDS)('disco %s prints ASCII only', async (line, expected) => {
    writeFileSync(file, EXPORTED)
    const words = line.replace('SINCE', since).replace('FILE', file).split(' ')
    for (const one of [tool, other]) {
      const { code, stdout, stderr } = await one.run(...words)
      expect(code, stdout + stderr).toBe(expected)
      expect(stdout + stderr).not.toMatch(NOT_ASCII)
      expect(stdout + stderr).not.toBe('')
    }
  })

  test('questions are ASCII only', async () => {
    await putAll(etcd, 'hello', [{ addr: 'höst–1:1', version: '3.0.0', weight: 3 }])
    const asked = disco
      .with({ env: { LC_ALL: 'C' } })
      .onTerminal(60, 24, 'weight', 'hello', '-l', 'weight<9', '7')
    await asked.printed('[y/N] ')
    asked.child.stdin?.write('n\n')
    const { code, stdout } = await asked.exited()
    expect(code).toBe(130)
    expect(stdout).toContain('h\\u00f6st')
    expect(stdout).not.toMatch(NOT_ASCII)
  })

  test('the screen of watch is ASCII only', async () => {
    const ascii = disco.with({ env: { LC_ALL: 'C' } })
    const watch = ascii.onTerminal(80, 24, 'watch', 'hello')
    await watch.printed('/ filter')
    const { stdout } = await watch.pressCtrlC()
    expect(stdout).not.toMatch(NOT_ASCII)
  })
})
