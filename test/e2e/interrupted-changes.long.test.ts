import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Disco, until } from '../support/disco.js'
import { putAll, registration, revision, storedWeight } from '../support/etcd-state.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { temporaryFile } from '../support/temporary-file.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd } = await toolOnEtcd()

const ADDR = '10.0.0.5:1'
const KEY = `/hello/${ADDR}`

let link: FaultProxy
let disco: Disco

beforeEach(async () => {
  link = await FaultProxy.start(etcd.endpoint)
  disco = new Disco(link.endpoint)
  await putAll(etcd, 'hello', [
    { addr: ADDR, weight: 2 },
    { addr: '10.0.0.6:1', weight: 3 },
  ])
})
afterEach(async () => {
  await disco.stopAll()
  await link[Symbol.asyncDispose]()
})

/** Longer than a test may take: only a signal ends the command. */
const PATIENT = ['--command-timeout', '10m']

const WAITS = '→ waiting for etcd: a change was sent. Ctrl-C again: end now, with its outcome unknown'

describe('while etcd does not answer a read, Ctrl-C', () => {
  test.each([
    `drain hello ${ADDR}`,
    'drain --host 10.0.0.5 --yes',
    `drain hello ${ADDR} --undo`,
    `unregister hello ${ADDR}`,
    'unregister --host 10.0.0.5 --yes',
    `weight hello ${ADDR} 7`,
    'weight hello --all 7',
    `shift hello ${ADDR}=5% --yes`,
    'shift hello --undo --yes',
  ])('ends disco %s without a change', async (line) => {
    const before = await revision(etcd)
    link.blackhole()
    const running = disco.start(...line.split(' '), ...PATIENT)
    await until(
      () => link.accepted > 0,
      () => 'a connection',
    )
    const { code, stdout, stderr } = await running.end('SIGINT')
    expect({ code, stdout, stderr }).toEqual({
      code: 130,
      stdout: '',
      stderr: '✗ Interrupted: nothing was changed\n',
    })
    expect(await revision(etcd)).toBe(before)
  })
})

/** Commands, each with a text that only its write request contains, and the subject of its error. */
const WRITES: readonly (readonly [line: string, text: string, what: string])[] = [
  [`weight hello ${ADDR} 77`, '"weight":77', `The weight of ${ADDR} of hello`],
  ['weight hello --all 77', '"weight":77', 'The weights of 2 endpoints of hello'],
  [`drain hello ${ADDR} --grace 0`, '"weight":0', `The weight of ${ADDR} of hello`],
  // The key in the encoding of a delete operation.
  [`unregister hello ${ADDR}`, `\u001a\u0013\n\u0011${KEY}`, `hello ${ADDR}`],
  [`shift hello ${ADDR}=50% --yes`, '"weight":', 'The weights of hello'],
]

describe('while a change is outstanding', () => {
  test.each(WRITES)(
    'the first Ctrl-C lets disco %s wait for etcd, and print that it waits',
    async (line, text) => {
      const before = await revision(etcd)
      link.holdFrom('toServer', text)
      const running = disco.start(...line.split(' '), ...PATIENT)
      await held()
      running.child.kill('SIGINT')
      await running.printed(WAITS)
      await link.heal()
      const { code, stdout } = await running.exited()
      expect(await revision(etcd)).toBeGreaterThan(before)
      // A drain stops before it deletes the key.
      expect(code).toBe(line.startsWith('drain') ? 130 : 0)
      expect(stdout).toContain('hello')
    },
  )

  test.each(WRITES)('the second Ctrl-C ends disco %s with an unknown outcome', async (line, text, what) => {
    link.holdFrom('toServer', text)
    const running = disco.start(...line.split(' '), ...PATIENT, '--json')
    await held()
    running.child.kill('SIGINT')
    await running.printed(WAITS)
    const { code, stdout } = await running.end('SIGINT')
    expect(code).toBe(130)
    const { error } = JSON.parse(stdout) as { error: { message: string; hint: string } }
    expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN', exit: 130 })
    expect(error.message).toMatch(
      /^(.*) may have been (changed|unregistered): interrupted before etcd answered$/,
    )
    expect(error.message.startsWith(what)).toBe(true)
    expect(error.hint).toContain('disco ls hello')
  })

  test('of one of several services, Ctrl-C lets disco print the changed ones and leave the others unchanged', async () => {
    await putAll(etcd, 'payments', [
      { addr: '10.0.0.5:2', weight: 4 },
      { addr: '10.0.0.6:3', weight: 4 },
    ])
    link.holdFrom('toServer', '"weight":77')
    const running = disco.start('weight', '--host', '10.0.0.5', '77', '--yes', ...PATIENT)
    await held()
    running.child.kill('SIGINT')
    await running.printed(WAITS)
    await link.heal()
    const { code, stderr } = await running.exited()
    expect(code).toBe(130)
    expect(stderr).toMatch(
      /✓ hello 10\.0\.0\.5:1 weight 2 → 77[\s\S]*✗ Interrupted: nothing else was changed\n$/,
    )
    expect(await storedWeight(etcd, '/payments/10.0.0.5:2')).toBe(4)
  })

  test('apply prints that it waits, and the second Ctrl-C ends it', async () => {
    const exported = (await disco.run('export')).stdout
    await using file = await temporaryFile('registry.yaml', exported.replace('weight: 2', 'weight: 77'))
    link.holdFrom('toServer', '"weight":77')
    const running = disco.start('apply', '-f', file.path, '--yes', ...PATIENT)
    await held()
    running.child.kill('SIGINT')
    await running.printed(WAITS)
    const { code, stderr } = await running.end('SIGINT')
    expect({ code, stderr }).toEqual({
      code: 130,
      stderr: expect.stringContaining('✗ Stopped in the middle of a transaction\n') as string,
    })
  })

  test('shift waits for its first step on Ctrl-C, prints that it waits, and undoes the step', async () => {
    link.holdFrom('toServer', '"weight":3')
    await etcd.ctl('put', ...registration('hello', '10.0.0.6:1', { weight: 30 }))
    const words = ['shift', 'hello', ADDR, '--steps', '50%,100%', '--every', '10m', '--yes', ...PATIENT]
    const running = disco.start(...words)
    await held()
    running.child.kill('SIGINT')
    await running.printed(WAITS)
    await link.heal()
    const { code, stderr } = await running.exited()
    expect({ code, stderr }).toEqual({
      code: 130,
      stderr: expect.stringContaining('going back: interrupted') as string,
    })
    expect(await storedWeight(etcd, KEY)).toBe(2)
  })
})

async function held(): Promise<void> {
  await until(
    () => link.isHolding('toServer'),
    () => 'the write',
  )
}
