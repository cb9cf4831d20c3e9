import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { putAll, revision, storedWeight } from '../support/etcd-state.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

const greeters: Greeter[] = [await startGreeter({ port: 0 }), await startGreeter({ port: 0 })]
const [old = '', canary = ''] = greeters.map(({ addr }) => addr)
const KEYS = [`/hello/1.0.0/${old}`, `/hello/2.0.0/${canary}`]
afterAll(() => {
  for (const greeter of greeters) greeter.stop()
})
beforeEach(() =>
  putAll(etcd, 'hello', [
    { addr: old, version: '1.0.0', weight: 7 },
    { addr: canary, version: '2.0.0', weight: 1 },
  ]),
)

const weights = () => Promise.all(KEYS.map((key) => storedWeight(etcd, key)))
const STEPS = ['shift', 'hello', 'version=2.0.0', '--steps', '50%,75%', '--yes']

describe('disco shift in steps', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s between two steps restores the weights, with exit code 130',
    async (signal) => {
      const before = await revision(etcd)
      const started = disco.start(...STEPS, '--every', '10m')
      await started.printed('step 1 of 2')
      expect(await weights()).toEqual([7, 7])
      const { code, stdout, stderr } = await started.end(signal)
      expect({ code, stderr }).toEqual({
        code: 130,
        stderr: expect.stringContaining('! going back: interrupted') as string,
      })
      expect(stdout).toContain(`! hello has the weights of rev ${before} again`)
      expect(await weights()).toEqual([7, 1])
    },
  )

  test('Ctrl-C on a terminal during a guard ends the guard, and restores the weights', async () => {
    const started = disco.onTerminal(
      120,
      40,
      ...STEPS,
      '--every',
      '1ms',
      '--',
      'sh',
      '-c',
      'echo guarding $$; sleep 600',
    )
    await started.printed(/guarding \d+\r?\n/)
    const [, guard = ''] = /guarding (\d+)/.exec(started.stdout) ?? []
    const { code } = await started.pressCtrlC()
    expect(code).toBe(130)
    expect(await weights()).toEqual([7, 1])
    expect(() => process.kill(Number(guard), 0)).toThrow('ESRCH')
  })

  test('Ctrl-C is reported at once if the guard ignores it; a second Ctrl-C kills the guard, and the weights are restored', async () => {
    const started = disco.start(
      ...STEPS,
      '--every',
      '1ms',
      '--',
      'sh',
      '-c',
      'trap "" TERM; echo guarding; sleep 600',
    )
    await started.printed('guarding')
    started.child.kill('SIGINT')
    // The guard still runs: it is killed only after five seconds.
    await started.printed('going back: interrupted')
    expect(started.stdout).toBe('')
    const { code, stdout } = await started.end('SIGINT')
    expect(code).toBe(130)
    expect(stdout).toContain('again')
    expect(await weights()).toEqual([7, 1])
  })

  test('after SIGKILL the weights of the last step remain, and the printed --undo --rev command restores the original weights', async () => {
    const started = disco.start(...STEPS, '--every', '1ms', '--', 'sleep', '0.2')
    await started.printed('step 2 of 2')
    await started.end('SIGKILL')
    expect(await weights()).toEqual([7, 21])
    const [undo = ''] = /disco shift hello --undo --rev \d+/.exec(started.stderr) ?? []
    const undone = await disco.shell(`${undo} --yes`).exited()
    expect(undone, undone.stderr).toMatchObject({ code: 0 })
    expect(await weights()).toEqual([7, 1])
  })

  test('after SIGKILL --undo without --rev restores the weights of the previous step', async () => {
    const started = disco.start(...STEPS, '--every', '1ms', '--', 'sleep', '0.2')
    await started.printed('step 2 of 2')
    await started.end('SIGKILL')
    expect((await disco.run('shift', 'hello', '--undo', '--yes')).code).toBe(0)
    expect(await weights()).toEqual([7, 7])
  })

  test('--call checks each step with calls, and restores the weights if an assertion fails', async () => {
    const good = await disco.run(
      ...STEPS,
      '--every',
      '100ms',
      '--call',
      'SayHello',
      '-d',
      '{"name":"x"}',
      '--assert',
      'errors<1%',
    )
    expect(good, good.stderr).toMatchObject({ code: 0 })
    expect(await weights()).toEqual([7, 21])
    const bad = await disco.run(
      ...STEPS,
      '--every',
      '100ms',
      '--call',
      'SayHello',
      '--assert',
      'p99<0.0001ms',
    )
    expect(bad.code).toBe(8)
    expect(bad.stderr).toContain('going back: the guard failed: exit code 8')
    expect(await weights()).toEqual([7, 21])
  })

  test('asks for confirmation on a terminal', async () => {
    const asked = disco.onTerminal(200, 24, 'shift', 'hello', 'version=2.0.0=50%')
    await asked.printed('Really shift hello: version=2.0.0 to 50%? [y/N]')
    asked.child.stdin?.write('n\n')
    expect((await asked.exited()).code).toBe(130)
    expect(await weights()).toEqual([7, 1])
  })
})
