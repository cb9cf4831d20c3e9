import { describe, expect, test } from 'vitest'
import { grantLease, registration, revision, storedWeight } from '../support/etcd-state.js'
import { weightsOf } from '../support/recorded.js'
import { expectShape } from '../support/shape.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

const ADDR = '127.0.0.1:1001'
const KEY = `/hello/${ADDR}`
const OTHER = '127.0.0.1:1002'

async function put(addr: string, weight: number, lease?: string): Promise<void> {
  const under = lease === undefined ? [] : [`--lease=${lease}`]
  await etcd.ctl('put', ...registration('hello', addr, { weight }), ...under)
}

describe('drain', () => {
  test('sets weight 0 under the same lease, waits, and deletes the key; the registrar accepts the removal', async () => {
    await put(OTHER, 1)
    const held = disco.start('register', 'hello', ADDR, '--weight', '3', '--ttl', '60')
    await held.printed('"type":"added"')
    const draining = disco.start('drain', 'hello', ADDR, '--grace', '700ms', '--json')
    const { code, stdout, stderr } = await draining.exited()
    expect(code).toBe(0)
    const doc = JSON.parse(stdout) as { lease: string | null }
    const [lease] = held.events().map((event) => event.lease)
    expectShape('drain', doc, { ...doc, lease: null })
    expect(doc).toMatchObject({
      schema: 'disco.drain/v1',
      service: 'hello',
      key: KEY,
      lease,
      graceSeconds: 0.7,
      endpoints: [{ addr: ADDR, version: '', from: 3 }],
      unregistered: true,
      interrupted: false,
    })
    expect(stderr).toMatch(
      /✓ hello 127.0.0.1:1001 weight 3 → 0 \(rev \d+\), share 75.0% → 0.0%\n! Go clients that follow .*resync.*\n→ unregistering in 0.7s/,
    )
    expect(await weightsOf(etcd, KEY)).toEqual([3, 0, null])
    expect((await held.exited()).code).toBe(0)
    expect(held.events().map(({ type }) => type)).toEqual(['added', 'weight', 'gone'])
  })

  test('counts down on a terminal; Ctrl-C stops at weight 0, and --undo restores the weight', async () => {
    await put(ADDR, 5)
    await put(OTHER, 1)
    const draining = disco.onTerminal(100, 20, 'drain', 'hello', ADDR, '--grace', '10m')
    await draining.printed('unregistering in 600s')
    await draining.printed(/unregistering in [1-5]\d\ds/)
    const ended = draining.pressCtrlC()
    await draining.printed('still registered, at weight 0')
    expect((await ended).code).toBe(130)
    expect(draining.stdout).toContain(`Undo: disco drain hello ${ADDR} --undo`)
    expect(await storedWeight(etcd, KEY)).toBe(0)
    const undone = await disco.run('drain', 'hello', ADDR, '--undo')
    expect(undone).toMatchObject({ code: 0, stdout: expect.stringContaining('weight 0 → 5') as string })
    expect(await storedWeight(etcd, KEY)).toBe(5)
    const again = await disco.run('drain', 'hello', ADDR, '--undo', '--json')
    expect(again.code).toBe(0)
    expect(JSON.parse(again.stdout)).toMatchObject({ schema: 'disco.weight/v1', changes: [] })
  })

  test('reports an interruption in its JSON', async () => {
    await put(ADDR, 5)
    await put(OTHER, 1)
    const draining = disco.start('drain', 'hello', ADDR, '--grace', '10m', '--json')
    await draining.printed('→ unregistering')
    const { code, stdout } = await draining.end('SIGINT')
    expect(code).toBe(130)
    expect(JSON.parse(stdout)).toMatchObject({ unregistered: false, interrupted: true })
  })

  test('--undo finds the previous weight behind other writes, and reports if it is no longer known', async () => {
    await put(ADDR, 5)
    await put(OTHER, 1)
    await put(ADDR, 0)
    await put(ADDR, 0)
    expect((await disco.run('drain', 'hello', ADDR, '--undo')).code).toBe(0)
    expect(await storedWeight(etcd, KEY)).toBe(5)
    await put(ADDR, 0)
    await etcd.ctl('compact', String(await revision(etcd)))
    const { code, stderr } = await disco.run('drain', 'hello', ADDR, '--undo')
    expect(code).toBe(6)
    expect(stderr).toContain('no longer has it')
    expect(stderr).toContain(`disco weight hello ${ADDR} 1`)
    expect((await disco.run('drain', 'hello', '127.0.0.1:9', '--undo')).code).toBe(4)
  })

  test('needs --force for the last weighted endpoint, and for a service without weights', async () => {
    await put(ADDR, 5)
    await put(OTHER, 0)
    const before = await revision(etcd)
    const last = await disco.run('drain', 'hello', ADDR, '--grace', '0')
    expect(last.code).toBe(6)
    expect(last.stderr).toContain('last weighted endpoint of hello')
    expect(await revision(etcd)).toBe(before)
    expect((await disco.run('drain', 'hello', ADDR, '--grace', '0', '--force')).code).toBe(0)
    expect(await storedWeight(etcd, KEY)).toBeNull()
    await put(ADDR, 0)
    const unset = await disco.run('drain', 'hello', ADDR, '--grace', '0')
    expect(unset.code).toBe(6)
    expect(unset.stderr).toContain('hello has no weights, so weight 0 drains nothing')
    expect(unset.stderr).toContain('disco weight hello --all 1')
  })

  test('is a conflict when another client sets a weight meanwhile', async () => {
    await put(ADDR, 5)
    await put(OTHER, 1)
    const draining = disco.start('drain', 'hello', ADDR, '--grace', '10m')
    await draining.printed('→ unregistering')
    await put(ADDR, 2)
    const { code, stderr } = await draining.exited()
    expect(code).toBe(6)
    expect(stderr).toContain(`${KEY} was given weight 2`)
    expect(await storedWeight(etcd, KEY)).toBe(2)
  })

  test('ends early when another client removes the endpoint', async () => {
    await put(ADDR, 5)
    await put(OTHER, 1)
    const draining = disco.start('drain', 'hello', ADDR, '--grace', '10m')
    await draining.printed('→ unregistering')
    await etcd.ctl('del', KEY)
    const { code, stdout } = await draining.exited()
    expect(code).toBe(0)
    expect(stdout).toContain('was removed by another client')
  })

  test('is a conflict when the registrar puts the endpoint back', async () => {
    await put(OTHER, 1)
    const held = disco.start('register', 'hello', ADDR, '--on-delete', 'reregister')
    await held.printed('"type":"added"')
    const { code, stderr } = await disco.run('drain', 'hello', ADDR, '--grace', '0')
    expect(code).toBe(6)
    expect(stderr).toContain('came back')
  })

  test('is refused for an endpoint that is not registered, or in a layout without weights', async () => {
    const lease = await grantLease(etcd, 100)
    await put(OTHER, 1, lease)
    expect((await disco.run('drain', 'hello', ADDR)).code).toBe(4)
    expect((await disco.run('drain', 'helo', ADDR)).code).toBe(4)
    expect((await disco.run('drain', 'hello', ADDR, '--grace', 'soon')).code).toBe(2)
    expect((await disco.run('drain', 'hello', ADDR, '--undo', '--force')).code).toBe(2)
    await etcd.ctl('put', 'plain/7587862094425487104', '127.0.0.1:1009')
    const { code, stderr } = await disco.run('drain', 'plain', '127.0.0.1:1009')
    expect(code).toBe(6)
    expect(stderr).toContain('cannot be drained: the layout go-zero carries no weight')
    expect(stderr).toContain('disco unregister plain 127.0.0.1:1009')
    const forced = await disco.run('drain', 'plain', '127.0.0.1:1009', '--force')
    expect(forced.code).toBe(0)
    expect(forced.stderr).toContain('the layout go-zero carries no weight')
    expect(await etcd.ctl('get', 'plain/7587862094425487104')).toBe('')
  })
})
