import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { WaitDoc } from '../../src/cli/wait/document.js'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { putAll, registration } from '../support/etcd-state.js'
import { freePorts } from '../support/ports.js'
import { expectShape } from '../support/shape.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()
let greeter: Greeter
let down: string

beforeAll(async () => {
  greeter = await startGreeter({ port: 0 })
  down = `127.0.0.1:${(await freePorts(1))[0]}`
})
afterAll(() => greeter.stop())
beforeEach(async () => {
  await putAll(etcd, 'hello', [
    { addr: greeter.addr, version: '2.0.0', weight: 3 },
    { addr: down, version: '1.0.0', weight: 0 },
  ])
})

/** Checks the condition once. */
const look = (...words: string[]) => tool.run('wait', ...words, '--timeout', '0')

describe('wait', () => {
  test('checks states of the endpoints that addresses, -l and --host select', async () => {
    const at = greeter.addr
    const cases: readonly (readonly [words: readonly string[], code: number, now: string])[] = [
      [['hello', at, '--for', 'healthy'], 0, 'healthy 1 of 1'],
      [['hello', at, down, '--for', 'healthy'], 5, 'healthy 1 of 2'],
      [['hello', at, down, '--for', 'registered'], 0, '2 are registered'],
      [['hello', at, '127.0.0.1:1', '--for', 'registered'], 5, '127.0.0.1:1 is not registered'],
      [['hello', down, '--for', 'not healthy'], 0, 'healthy 0 of 1'],
      [['hello', down, '--for', 'drained'], 0, 'drained 1 of 1'],
      [['hello', at, '--for', '!drained'], 0, 'drained 0 of 1'],
      [['hello', '127.0.0.1:1', '127.0.0.1:2', '--for', 'gone'], 0, '127.0.0.1:1, 127.0.0.1:2 are gone'],
      [['hello', at, '127.0.0.1:1', '--for', 'gone'], 5, `${at} is registered`],
      [['hello', '-l', 'version=2.0.0', '--for', 'all healthy'], 0, 'healthy 1 of 1'],
      [['hello', '-l', 'version=3.0.0', '--for', 'all healthy'], 5, 'healthy 0 of 0'],
      [['hello', '--for', 'all healthy'], 5, 'healthy 1 of 2'],
      [['--host', '127.0.0.1', '--for', 'gone'], 5, '2 are registered'],
      [['--host', '10.0.0.5', '--for', 'gone'], 0, 'none is registered'],
      [['-l', 'weight>0', '--for', 'weight==3'], 0, 'weights 3'],
      [
        ['hello', '--for', `drained ${down}`, '--for', `registered ${at}`],
        0,
        'drained 1 of 1, 1 is registered',
      ],
    ]
    for (const [words, code, now] of cases) {
      const ran = await look(...words)
      expect({ words, code: ran.code, now: /now: (.*)/.exec(ran.stderr)?.[1] }).toEqual({ words, code, now })
    }
  })

  test('reports why no endpoint is selected, with the closest names', async () => {
    const unknown = await look('helo', '--for', 'endpoints>=1')
    expect(unknown.code).toBe(5)
    expect(unknown.stderr).toMatch(
      /\n! No service "helo" under \/ \(rev \d+\)\n {2}Did you mean hello\? 1 service: hello\n/,
    )
    const gone = await look('hello', '-l', 'verison=1.0.0', '--for', 'gone')
    expect(gone.code).toBe(0)
    expect(gone.stderr).toContain(
      '! No endpoint of hello is selected by -l verison=1.0.0\n  verison: (none)\n',
    )
  })

  test('keeps waiting for an unknown service', async () => {
    const waiting = disco.start('wait', 'helo', '--for', 'registered')
    await waiting.printed('Did you mean hello?')
    await etcd.ctl('put', ...registration('helo', '127.0.0.1:1'))
    expect(await waiting.exited()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^✓ helo: registered/) as string,
    })
  })

  test('prints the documented JSON, for one service and for all', async () => {
    const one = await look('hello', greeter.addr, '--for', 'healthy', '--json')
    const doc = JSON.parse(one.stdout) as WaitDoc
    expectShape('wait', doc)
    expect(doc).toMatchObject({
      service: 'hello',
      for: ['all healthy'],
      endpoints: 1,
      ready: 1,
      heldMs: null,
    })
    const all = await look('--host', '127.0.0.1', '--for', 'endpoints==2', '--json')
    const ofAll = JSON.parse(all.stdout) as WaitDoc
    expect(ofAll).toMatchObject({ service: null, endpoints: 2, ready: null })
    expectShape('wait', doc, ofAll)
  })

  test('--for-duration counts from the moment at which the conditions hold', async () => {
    const ran = await tool.run(
      'wait',
      'hello',
      greeter.addr,
      '--for',
      'healthy',
      '--for-duration',
      '700ms',
      '--json',
    )
    expect(ran.code).toBe(0)
    const doc = JSON.parse(ran.stdout) as WaitDoc
    expect(doc.heldMs).toBeGreaterThanOrEqual(700)
    expect(doc.elapsedMs).toBeGreaterThanOrEqual(doc.heldMs ?? 0)
    expect(ran.stderr).toContain(
      `→ waiting for hello ${greeter.addr}: all healthy for 0.7s (30.7s at most)\n`,
    )
    expect(ran.stderr).toContain('\n  holds: 0.7s from now\n')
  })
})
