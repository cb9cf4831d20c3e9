import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { Disco } from '../support/disco.js'
import { putAll, registration } from '../support/etcd-state.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { freePorts } from '../support/ports.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()
let greeters: Greeter[]
let down: string

beforeAll(async () => {
  greeters = await Promise.all([startGreeter({ port: 0 }), startGreeter({ port: 0, health: false })])
  down = `127.0.0.1:${(await freePorts(1))[0]}`
})
afterAll(() => {
  for (const greeter of greeters) greeter.stop()
})
beforeEach(() =>
  putAll(
    etcd,
    'hello',
    [...greeters, { addr: down }].map(({ addr }) => ({ addr })),
  ),
)

describe('wait', () => {
  test('--timeout 0 checks once even if etcd takes longer than the deadline of a server probe', async () => {
    await using proxy = await FaultProxy.start(etcd.endpoint)
    proxy.delay(700, 'toClient', 'toServer')
    const far = new Disco(proxy.endpoint)
    const args = ['--timeout', '0', '--command-timeout', '15s']
    const [endpoints, ready] = await Promise.all([
      far.run('wait', 'hello', '--for', 'endpoints>=3', ...args),
      far.run('wait', 'hello', '--for', 'ready>=2', ...args),
    ])
    expect(endpoints).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('✓ hello: endpoints>=3') as string,
    })
    expect(ready).toMatchObject({ code: 0, stdout: expect.stringContaining('✓ hello: ready>=2') as string })
  })

  test('--for-duration restarts when the condition breaks, even for a moment between two checks', async () => {
    const [key, value] = registration('hello', down)
    const holding = disco.start(
      'wait',
      'hello',
      '--for',
      'endpoints==3',
      '--for-duration',
      '7s',
      '--timeout',
      '50s',
    )
    await holding.printed('holds: 7s from now')
    const beginMs = performance.now()
    await delay(2_000)
    await etcd.ctl('del', key)
    await etcd.ctl('put', key, value)
    // It breaks before the 7 s are over. The exact time depends on how long etcdctl takes.
    await holding.printed(/broken after [2-6]\.\d+s: endpoints 2; the 7s start again/)
    expect(await holding.exited()).toMatchObject({ code: 0 })
    expect(performance.now() - beginMs).toBeGreaterThan(8_900)
  })

  test.each(['blackhole', 'refuse'] as const)(
    '--for-duration does not count time during which etcd cannot be reached: %s',
    async (fault) => {
      await using proxy = await FaultProxy.start(etcd.endpoint)
      const words = ['--for-duration', '3s', '--timeout', '60s', '--command-timeout', '2s']
      const holding = new Disco(proxy.endpoint).start('wait', 'hello', '--for', 'endpoints==3', ...words)
      await holding.printed('holds: 3s from now')
      if (fault === 'refuse') await proxy.refuse()
      else proxy.blackhole('toClient', 'toServer')
      await holding.printed('start again')
      await etcd.ctl('del', registration('hello', down)[0])
      await proxy.heal()
      await holding.printed('now: endpoints 2')
      await etcd.ctl('put', ...registration('hello', down))
      expect(await holding.exited()).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('for 3s') as string,
      })
    },
  )

  test('--for-duration restarts when a server becomes unhealthy', async () => {
    const [first] = greeters
    const words = ['--for', 'all healthy', '--for-duration', '4s', '--timeout', '20s']
    const holding = disco.start('wait', 'hello', first?.addr ?? '', ...words)
    await holding.printed('holds: 4s from now')
    first?.setHealth('NOT_SERVING')
    await holding.printed(/broken after .*: healthy 0 of 1; the 4s start again/)
    first?.setHealth('SERVING')
    expect(await holding.exited()).toMatchObject({ code: 0 })
  })

  test('exits 5 if --timeout ends before --for-duration, and reports how long the condition held', async () => {
    const holding = disco.start(
      'wait',
      'hello',
      '--for',
      'endpoints==3',
      '--for-duration',
      '6s',
      '--timeout',
      '9s',
    )
    await holding.printed('holds: 6s from now')
    await delay(3_000)
    await putAll(etcd, 'hello', [{ addr: '127.0.0.1:9' }])
    await holding.printed('start again')
    await etcd.ctl('del', registration('hello', '127.0.0.1:9')[0])
    const late = await holding.exited()
    expect(late.code).toBe(5)
    expect(late.stderr).toMatch(/does not meet endpoints==3 for 6s after 9s: endpoints 3, so far for \d/)
  })

  test('exits 5 after --timeout with the last state, and also without etcd', async () => {
    const late = await disco.run('wait', 'hello', '--for', 'ready>=9', '--timeout', '5s')
    expect(late.code).toBe(5)
    expect(late.stderr).toContain('✗ hello does not meet ready>=9 after 5s: ready 2')
    expect(late.stderr).toContain(`\n  ${down} connection refused\n`)
    const json = await disco.run('wait', 'hello', '--for', 'ready>=9', '--timeout', '300ms', '--json')
    expect(json.code).toBe(5)
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'WAIT_TIMED_OUT', exit: 5 } })
    const away = await new Disco('127.0.0.1:1').run(
      'wait',
      'hello',
      '--for',
      'endpoints>=1',
      '--timeout',
      '3s',
    )
    expect(away.code).toBe(5)
    expect(away.stderr).toContain(
      '✗ Unknown after 3s whether hello meets endpoints>=1: etcd is not reachable at 127.0.0.1:1 (',
    )
  })
})
