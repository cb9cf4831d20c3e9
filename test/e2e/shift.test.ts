import { setTimeout as delay } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import type { ShiftDoc } from '../../src/cli/shift/document.js'
import { putAll, revision, storedWeight } from '../support/etcd-state.js'
import { expectShape } from '../support/shape.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()

const KEYS = ['/hello/1.0.0/10.0.0.1:1', '/hello/1.0.0/10.0.0.1:2', '/hello/2.0.0/10.0.0.2:1']

beforeEach(() =>
  putAll(etcd, 'hello', [
    { addr: '10.0.0.1:1', version: '1.0.0', weight: 1 },
    { addr: '10.0.0.1:2', version: '1.0.0', weight: 3 },
    { addr: '10.0.0.2:1', version: '2.0.0', weight: 4 },
  ]),
)

const weights = () => Promise.all(KEYS.map((key) => storedWeight(etcd, key)))

describe('disco shift', () => {
  test('sets the weights for a share in one transaction and prints them, and --undo restores the old weights', async () => {
    const before = await revision(etcd)
    const { code, stdout, stderr } = await tool.run('shift', 'hello', 'version=2.0.0=5%', '--yes')
    expect({ code, stdout: stdout.replaceAll(/ +/g, ' ') }).toEqual({
      code: 0,
      stdout: [
        `✓ hello version=2.0.0 50.0% → 5.0% (rev ${before + 1}, leases kept)`,
        'ADDRESS VERSION WEIGHT SHARE',
        '10.0.0.1:1 1.0.0 1 → 19 12.5% → 23.8%',
        '10.0.0.1:2 1.0.0 3 → 57 37.5% → 71.3%',
        '10.0.0.2:1 2.0.0 4 50.0% → 5.0%',
        'Undo: disco shift hello --undo',
        '',
      ].join('\n'),
    })
    expect(stderr).toContain('apply a new weight only at their next resync')
    expect(await weights()).toEqual([19, 57, 4])
    const undone = await tool.run('shift', 'hello', '--undo', '--yes')
    expect(undone.stdout).toContain(
      `✓ hello has the weights of rev ${before} again (rev ${before + 2}, leases kept)`,
    )
    expect(await weights()).toEqual([1, 3, 4])
  })

  test('--dry-run prints the plan, and writes nothing; without a terminal it needs --yes', async () => {
    const before = await revision(etcd)
    const dry = await tool.run('shift', 'hello', '10.0.0.2:1=20%', '--dry-run')
    expect(dry).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('hello would be shifted: 10.0.0.2:1 50.0% → 20.0%') as string,
    })
    expect(await tool.run('shift', 'hello', '10.0.0.2:1=20%')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('✗ Not done without --yes: shift hello: 10.0.0.2:1 to 20%') as string,
    })
    expect(await tool.run('shift', 'hello', '--undo', '--rev', '1')).toMatchObject({ code: 6 })
    expect(await revision(etcd)).toBe(before)
  })

  test('asks on a terminal, and keeps the question visible until it is answered', async () => {
    for (const words of [['version=2.0.0=5%'], ['--undo', '--rev', String(await revision(etcd))]]) {
      if (words.includes('--undo')) await tool.run('shift', 'hello', 'version=2.0.0=20%', '--yes')
      const asked = disco.onTerminal(80, 24, 'shift', 'hello', ...words)
      await asked.printed('[y/N] ')
      // A progress line would be repainted over the question within this time.
      await delay(500)
      expect(asked.stdout).toMatch(/\[y\/N\] $/)
      asked.child.stdin?.write('n\n')
      expect((await asked.exited()).code).toBe(130)
    }
  })

  test('prints the documented JSON', async () => {
    const run = async (...args: string[]) => {
      const { stdout } = await tool.run('shift', '--yes', '--json', 'hello', ...args)
      return JSON.parse(stdout) as ShiftDoc
    }
    const shifted = await run('version=2.0.0=20%')
    expect(shifted).toMatchObject({
      schema: 'disco.shift/v1',
      end: 'done',
      parts: [{ selection: 'version=2.0.0', share: { asked: 0.2, from: 0.5, to: 0.2 } }],
    })
    const steps = await run('version=2.0.0', '--steps', '5%,50%', '--every', '1ms', '--', 'true')
    expect(steps.steps).toMatchObject([
      { share: 0.05, guard: { ok: true } },
      { share: 0.5, guard: { ok: true } },
    ])
    const { stderr } = await tool.run(
      'shift',
      '--yes',
      'hello',
      '10.0.0.1:1',
      '--steps',
      '0%,50%',
      '--every',
      '1ms',
    )
    expect(stderr).toMatch(/step 2 of 2: 50\.0% \(rev \d+, (1 weight|[02-9] weights) set\)/)
    const back = await run('version=2.0.0', '--steps', '5%,50%', '--every', '1ms', '--', 'false')
    expect(back).toMatchObject({ end: 'back', steps: [{ guard: { ok: false, text: 'exit code 1' } }] })
    await tool.run('weight', 'hello', '10.0.0.2:1', '9')
    const undone = await run('--undo')
    expect(undone.leftOut).toMatchObject([{ addr: '10.0.0.2:1', weight: 9 }])
    expectShape('shift', shifted, steps, back, undone, await run('version=2.0.0=90%', '--dry-run'))
  })

  test('in steps restores the weights if a guard fails, and exits 8', async () => {
    const before = await revision(etcd)
    const { code, stdout, stderr } = await tool.run(
      'shift',
      'hello',
      'version=2.0.0',
      '--steps',
      '5%,25%',
      '--every',
      '1ms',
      '--yes',
      '--',
      'false',
    )
    expect(code).toBe(8)
    expect(stderr).toContain(
      `→ weights before the shift: rev ${before}. Undo all steps: disco shift hello --undo --rev ${before}`,
    )
    expect(stderr).toContain('! going back: the guard failed: exit code 1')
    expect(stdout).toContain(`! hello has the weights of rev ${before} again`)
    expect(await weights()).toEqual([1, 3, 4])
  })

  test.each([
    [['version=2.0.0'], 2, 'expected SELECTION=SHARE'],
    [['version=2.0.0=5'], 2, 'A share is 0% to 100%'],
    [['version=2.0.0=60%', '10.0.0.1:1=50%'], 2, 'The shares add up to 110%'],
    [['version=2.0.0=60%', '10.0.0.2:1=10%'], 2, '10.0.0.2:1 is selected twice'],
    [['version=3.0.0=60%'], 4, 'No endpoint of hello is selected by -l version=3.0.0'],
    [['version==5%'], 2, 'a value is empty'],
    [['version=1.0.0=10%', 'version=2.0.0=10%'], 6, '80% of hello would go to no endpoint'],
    [['--undo', 'version=2.0.0=5%'], 2, '--undo takes only a service'],
    [['version=2.0.0=5%', '--every', '1s'], 2, '--every has no effect without --steps'],
    [['version=2.0.0=5%', '--rev', '5'], 2, '--rev has no effect without --undo'],
    [['version=2.0.0=5%', '--', 'true'], 2, 'A command after -- is a guard: it needs --steps'],
    [['version=2.0.0=5%', '--steps', '5%'], 2, '--steps takes one selection without a share'],
    [['version=2.0.0', '--steps', '5%', '--assert', 'errors<1%'], 2, '--assert has no effect without --call'],
    [['version=2.0.0', '--steps', '5%,50%', '--', '/nonexistent'], 2, 'Cannot run /nonexistent'],
    [['version=2.0.0', '--steps', '5%,50%', '--', 'nonexistent-program'], 2, 'No folder of PATH has it'],
    [['version=2.0.0', '--steps', '5%,50%', '--call', 'SayHello', '--assert', 'erors<1%'], 2, 'erors<1%'],
    [['version=2.0.0', '--steps', '5%', '--call', 'SayHello', '-d', '@/nonexistent'], 2, '/nonexistent'],
    [['version=2.0.0', '--steps', '5%', '--call', 'SayHello', '-d', '-'], 2, 'has no standard input'],
    [['version=2.0.0', '--steps', '5%,x'], 2, 'Invalid --steps "5%,x"'],
  ])('%j is refused, and nothing is written', async (args, code, message) => {
    const before = await revision(etcd)
    const command = args.indexOf('--')
    const words =
      command < 0 ? [...args, '--yes'] : [...args.slice(0, command), '--yes', ...args.slice(command)]
    const ran = await tool.run('shift', 'hello', ...words)
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({
      code,
      stderr: expect.stringContaining(message) as string,
    })
    expect(await revision(etcd)).toBe(before)
  })

  test('refuses a target with a selection, because shares refer to a whole service', async () => {
    const ran = await tool.run('shift', 'etcd:///hello?version=2.0.0', '10.0.0.2:1=5%', '--yes')
    expect(ran).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('A share is a part of the traffic of a whole service') as string,
    })
  })
})
