import { beforeEach, describe, expect, test } from 'vitest'
import { putAll, revision } from '../support/etcd-state.js'
import { expectShape } from '../support/shape.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, tool } = await toolOnEtcd()

async function putBoth(weight: number): Promise<void> {
  await putAll(etcd, 'hello', [
    { addr: '127.0.0.1:1', version: '1.0.0', weight },
    { addr: '127.0.0.1:2', version: '2.0.0', weight },
    { addr: '127.0.0.2:1', version: '2.0.0', weight },
    { addr: '127.0.0.22:1', version: '2.0.0-rc', weight },
  ])
  await putAll(etcd, 'payments', [
    { addr: '127.0.0.2:3', version: '2.0.0', weight },
    { addr: '127.0.0.1:4', version: '1.0.0', weight },
  ])
}

beforeEach(() => putBoth(1))

/** Commands that take a selection, each with its exit code. No server listens at the addresses. */
const COMMANDS: readonly (readonly [name: string, words: readonly string[], code: number])[] = [
  ['ls', ['ls'], 0],
  ['health', ['health'], 7],
  ['wait', ['wait', '--for', 'registered'], 0],
  ['weight', ['weight', '--dry-run'], 0],
  ['drain', ['drain', '--dry-run'], 0],
  ['unregister', ['unregister', '--dry-run'], 0],
]

const SELECTIONS: readonly (readonly [words: readonly string[], chosen: readonly string[]])[] = [
  [
    ['hello', '127.0.0.1:1', '127.0.0.2:1'],
    ['127.0.0.1:1', '127.0.0.2:1'],
  ],
  [
    ['hello', '-l', 'version=2.0.0'],
    ['127.0.0.1:2', '127.0.0.2:1'],
  ],
  [['hello', '--host', '127.0.0.2'], ['127.0.0.2:1']],
  [['hello', '127.0.0.1:1', '127.0.0.1:2', '-l', 'version=2.0.0', '--host', '127.0.0.1'], ['127.0.0.1:2']],
  [
    ['--host', '127.0.0.2'],
    ['127.0.0.2:1', '127.0.0.2:3'],
  ],
  [
    ['-l', 'version=1.0.0'],
    ['127.0.0.1:1', '127.0.0.1:4'],
  ],
  [
    ['-l', 'version=2.0.0', '--host', '127.0.0.2'],
    ['127.0.0.2:1', '127.0.0.2:3'],
  ],
]

const CASES = COMMANDS.flatMap(([name, words, code]) =>
  SELECTIONS.map(([selection, chosen]) => ({ name, words, code, selection, chosen })),
)

describe('a selection', () => {
  test.each(CASES)('$name $selection', async ({ name, words, code, selection, chosen }) => {
    const [command = '', ...flags] = words
    // wait requires all listed addresses, so conditions that exclude some of them make it fail.
    const wanted = name === 'wait' && selection.length > 6 ? null : chosen
    const before = await revision(etcd)
    const format = name === 'wait' ? 'name' : 'ndjson'
    const last = name === 'weight' ? ['7'] : []
    const timeout = name === 'wait' ? ['--timeout', '0'] : []
    const ran = await tool.run(command, ...selection, ...last, ...flags, ...timeout, '-o', format)
    expect(ran.code, ran.stderr).toBe(wanted === null ? 5 : code)
    const found = format === 'name' ? ran.stdout.match(/\S+/g) : ran.stdout.match(/(?<="addr":")[^"]+/g)
    expect([...new Set(found ?? [])].sort()).toEqual(wanted ?? [])
    expect(await revision(etcd)).toBe(before)
  })

  test.each(SELECTIONS)('watch %j', async (selection, chosen) => {
    const since = await revision(etcd)
    // Each key changes twice: an extra selected key would add events, and a missing one would keep watch from ending.
    await putBoth(2)
    await putBoth(3)
    const count = String(2 * chosen.length)
    const ran = await tool.run(
      'watch',
      ...selection,
      '--since',
      String(since),
      '--count',
      count,
      '-o',
      'ndjson',
    )
    expect(ran.code, ran.stderr).toBe(0)
    const [synced, ...events] = ran.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(synced).toMatchObject({ type: 'synced', endpoints: chosen.length, weight: chosen.length })
    for (const type of ['from', 'to']) expect(events.map((event) => event[type])).not.toContain(undefined)
    expect(events.map(({ addr }) => addr).sort()).toEqual([...chosen, ...chosen].sort())
  })

  test.each(['weight', 'drain', 'unregister'])(
    'is refused by %s for several endpoints without --yes',
    async (command) => {
      const before = await revision(etcd)
      for (const selection of SELECTIONS.filter(([, chosen]) => chosen.length > 1).map(([words]) => words)) {
        const ran = await tool.run(command, ...selection, ...(command === 'weight' ? ['7'] : []))
        expect({ code: ran.code, stderr: ran.stderr }).toEqual({
          code: 2,
          stderr: expect.stringContaining('✗ Not done without --yes: ') as string,
        })
      }
      expect(await revision(etcd)).toBe(before)
    },
  )

  test.each(['weight', 'drain', 'unregister', 'wait'])('is required by %s', async (command) => {
    const words = { weight: ['7'], wait: ['--for', 'gone'] }[command] ?? []
    expect((await tool.run(command, ...words)).code).toBe(2)
  })

  test('of all services excludes unreadable keys from health and wait', async () => {
    await etcd.ctl('put', '/of/another/program', 'not JSON')
    expect((await tool.run('health', '-l', 'version!=9', '-o', 'ndjson')).stdout).not.toContain('program')
    const waited = await tool.run(
      'wait',
      '-l',
      'version!=9',
      '--for',
      'endpoints==6',
      '--timeout',
      '0',
      '-o',
      'name',
    )
    expect(waited).toMatchObject({ code: 0, stdout: expect.not.stringContaining('program') as string })
    expect(waited.stdout.trim().split('\n')).toHaveLength(6)
  })

  test('is optional for ls and health', async () => {
    expect((await tool.run('ls', '-o', 'name')).stdout).toBe('hello\npayments\n')
    const { code, stdout, stderr } = await tool.run('health')
    expect(code).toBe(7)
    expect(stdout).toMatch(/^ +SERVICE +ADDRESS .*\n✗ +hello +127\.0\.0\.1:1 /)
    expect(stderr).toMatch(/^0 of 6 endpoints healthy \(rev \d+\)\n$/)
    const json = await tool.run('health', '--host', '127.0.0.2', '--json')
    expectShape('healths', JSON.parse(json.stdout))
  })
})
