import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { Disco } from '../support/disco.js'
import { putAll } from '../support/etcd-state.js'
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
  test('--timeout 0 looks once also where etcd takes longer than a server may', async () => {
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

  test('not in time is exit 5, with how it stood; so it is without etcd', async () => {
    const late = await disco.run('wait', 'hello', '--for', 'ready>=9', '--timeout', '1s')
    expect(late.code).toBe(5)
    expect(late.stderr).toContain('✗ hello does not meet ready>=9 after 1s: ready 2')
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
      '1s',
    )
    expect(away.code).toBe(5)
    expect(away.stderr).toContain(
      '✗ Unknown after 1s whether hello meets endpoints>=1: etcd is not reachable at 127.0.0.1:1 (',
    )
  })
})
