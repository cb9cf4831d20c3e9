import { beforeEach, describe, expect, test } from 'vitest'
import type { DrainsDoc, UnregisterDoc, WeightDoc, WeightsDoc } from '../../src/cli/change/document.js'
import { until } from '../support/disco.js'
import { putAll, registration, revision, storedText, storedWeight } from '../support/etcd-state.js'
import { expectShape } from '../support/shape.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()

/** Three endpoints of hello and two of payments; one of each on 10.0.0.5. */
const KEYS = [
  '/hello/1.0.0/10.0.0.5:1',
  '/hello/2.0.0/10.0.0.6:1',
  '/hello/2.0.0/10.0.0.6:2',
  '/payments/10.0.0.5:2',
  '/payments/10.0.0.6:3',
]

beforeEach(async () => {
  await putAll(etcd, 'hello', [
    { addr: '10.0.0.5:1', version: '1.0.0', weight: 2 },
    { addr: '10.0.0.6:1', version: '2.0.0', weight: 3 },
    { addr: '10.0.0.6:2', version: '2.0.0', weight: 5 },
  ])
  await putAll(etcd, 'payments', [
    { addr: '10.0.0.5:2', weight: 4 },
    { addr: '10.0.0.6:3', weight: 4 },
  ])
})

const weights = () => Promise.all(KEYS.map((key) => storedWeight(etcd, key)))

async function json<Doc>(...args: string[]): Promise<Doc> {
  const ran = await tool.run(...args, '--json')
  expect(ran.code, ran.stdout).toBe(0)
  return JSON.parse(ran.stdout) as Doc
}

describe('a change of several endpoints', () => {
  test.each([
    [
      ['weight', 'hello', '-l', 'version=2.0.0', '7'],
      'set weight 7 of 2 endpoints of hello (10.0.0.6:1, 10.0.0.6:2)',
    ],
    [['weight', 'hello', '10.0.0.5:1', '10.0.0.6:1', '7'], 'set weight 7 of 2 endpoints of hello'],
    [
      ['drain', '--host', '10.0.0.5'],
      'drain 1 endpoint of hello (10.0.0.5:1), 1 endpoint of payments (10.0.0.5:2)',
    ],
    [
      ['unregister', 'hello', '10.0.0.5:1', '10.0.0.6:1'],
      'unregister 2 endpoints of hello (10.0.0.5:1, 10.0.0.6:1)',
    ],
    [['unregister', 'etcd:///hello?version=2.0.0', '--host', '10.0.0.6'], 'unregister 2 endpoints of hello'],
  ])('%j needs --yes without a terminal', async (args, change) => {
    const before = await revision(etcd)
    const ran = await tool.run(...args)
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining(`✗ Not done without --yes: ${change}`) as string,
    })
    expect(await revision(etcd)).toBe(before)
  })

  test('needs --yes also for one selected endpoint that is the last of its service', async () => {
    await etcd.ctl('put', ...registration('alone', '10.0.0.9:1', { weight: 1 }))
    const ran = await tool.run('unregister', 'alone', '-l', 'weight=1')
    expect(ran.code).toBe(2)
    const named = await tool.run('unregister', 'alone', '10.0.0.9:1')
    expect(named).toMatchObject({ code: 0, stderr: '! alone has no endpoint left\n' })
  })

  test('asks on a terminal, and obeys the answer', async () => {
    const words = ['weight', 'hello', '-l', 'version=2.0.0', '7']
    const refused = disco.onTerminal(200, 24, ...words)
    await refused.printed('[y/N]')
    refused.child.stdin?.write('n\n')
    expect((await refused.exited()).code).toBe(130)
    expect(await weights()).toEqual([2, 3, 5, 4, 4])
    const confirmed = disco.onTerminal(200, 24, ...words)
    await confirmed.printed('Really set weight 7 of 2 endpoints of hello (10.0.0.6:1, 10.0.0.6:2)? [y/N]')
    confirmed.child.stdin?.write('y\n')
    expect((await confirmed.exited()).code).toBe(0)
    expect(await weights()).toEqual([2, 7, 7, 4, 4])
  })

  test('changes only endpoints that the question named and that are still selected', async () => {
    const asked = disco.onTerminal(200, 24, 'unregister', 'hello', '-l', 'version=2.0.0')
    await asked.printed('Really unregister 2 endpoints of hello (10.0.0.6:1, 10.0.0.6:2)? [y/N]')
    await etcd.ctl('put', ...registration('hello', '10.0.0.6:9', { version: '2.0.0' }))
    const changed = JSON.stringify({ name: 'hello', addr: '10.0.0.6:2', version: '3.0.0', weight: 5 })
    await etcd.ctl('put', '/hello/2.0.0/10.0.0.6:2', changed)
    asked.child.stdin?.write('y\n')
    expect((await asked.exited()).code).toBe(0)
    expect(asked.stdout).toContain('1 endpoint of hello (10.0.0.6:1) unregistered')
    expect(asked.stdout).toMatch(/10\.0\.0\.6:2 was changed meanwhile, and is no longer selected/)
    expect(await weights()).toEqual([2, null, 5, 4, 4])
    expect(await storedWeight(etcd, '/hello/2.0.0/10.0.0.6:9')).toBe(1)
  })

  test('weight: skips an endpoint that is no longer selected, and names it', async () => {
    const asked = disco.onTerminal(200, 24, 'weight', 'hello', '-l', 'weight>2', '7')
    await asked.printed('[y/N]')
    await etcd.ctl('put', ...registration('hello', '10.0.0.6:2', { version: '2.0.0', weight: 1 }))
    asked.child.stdin?.write('y\n')
    expect((await asked.exited()).code).toBe(0)
    expect(asked.stdout).toContain(
      '10.0.0.6:2 left as it is: it was changed meanwhile, and is no longer selected',
    )
    expect(await weights()).toEqual([2, 7, 1, 4, 4])
  })

  test('names every address under a key that is removed', async () => {
    const value = {
      id: 'k1',
      name: 'hello',
      version: '1.0.0',
      metadata: {},
      endpoints: ['http://10.0.0.8:8000', 'grpc://10.0.0.8:9000'],
    }
    await etcd.ctl('put', '/microservices/hello/k1', JSON.stringify(value))
    const asked = await tool.run('unregister', 'hello', '10.0.0.5:1', '10.0.0.8:9000')
    expect(asked.stderr).toContain(
      'unregister 3 endpoints of hello (10.0.0.5:1, 10.0.0.8:8000, 10.0.0.8:9000)',
    )
    for (const [more, result] of [
      [['--dry-run'], 'would be unregistered'],
      [[], 'unregistered (rev '],
    ] as const) {
      const ran = await tool.run('unregister', 'hello', '10.0.0.8:9000', ...more)
      expect(ran.stdout).toContain(`hello 10.0.0.8:9000 (with 10.0.0.8:8000, under the same key) ${result}`)
    }
  })

  test('unregister: conditions do not select unreadable keys', async () => {
    const key = '/hello/1.0.0/10.0.0.5:9'
    await etcd.ctl('put', key, 'not JSON')
    const only = await tool.run('unregister', 'hello', '-l', 'weight=0', '--yes')
    expect({ code: only.code, stderr: only.stderr }).toEqual({
      code: 4,
      stderr: expect.stringContaining(
        `1 unreadable key left out: to remove, give the key itself (${key})`,
      ) as string,
    })
    const host = await tool.run('unregister', '--host', '10.0.0.5', '--yes')
    expect(host.code).toBe(0)
    expect(host.stderr).toContain('! 1 unreadable key left out')
    expect(await weights()).toEqual([null, 3, 5, null, 4])
    expect(await storedText(etcd, key)).toBe('not JSON')
    expect((await tool.run('unregister', 'hello', key)).code).toBe(0)
    expect(await storedText(etcd, key)).toBe('')
  })

  test('unregister: an address that is not registered causes a warning, and the others are removed', async () => {
    const ran = await tool.run('unregister', 'hello', '10.0.0.9:1', '10.0.0.6:1', '--yes')
    expect(ran).toMatchObject({ code: 0, stderr: '! hello 10.0.0.9:1 is not registered\n' })
    expect(await weights()).toEqual([2, null, 5, 4, 4])
    const again = await tool.run('unregister', 'hello', '10.0.0.9:1', '10.0.0.6:1', '--yes')
    expect(again.code).toBe(0)
    expect(again.stdout).toContain('! hello 10.0.0.9:1 10.0.0.6:1 was not registered')
    const dry = await tool.run('unregister', 'hello', '10.0.0.6:1', '--dry-run')
    expect(dry.stdout).toBe('hello 10.0.0.6:1 is not registered: nothing to remove\n')
    await etcd.ctl('put', ...registration('hello', '10.0.0.5:1', { version: '2.0.0' }))
    expect((await tool.run('unregister', 'hello', '10.0.0.5:1', '--dry-run')).code).toBe(6)
  })

  test('unregister: Ctrl-C stops before the next service, and names the endpoints that remain', async () => {
    const before = await revision(etcd)
    const running = disco.start('unregister', '--host', '10.0.0.5', '--yes')
    await until(
      async () => (await revision(etcd)) > before,
      () => 'the first removal',
    )
    const { code, stdout, stderr } = await running.end('SIGINT')
    expect({ code, stderr }).toEqual({
      code: 130,
      stderr: expect.stringContaining(
        '! stopped: 1 endpoint of payments (10.0.0.5:2): still registered',
      ) as string,
    })
    expect(stdout).toContain('✓ 1 endpoint of hello (10.0.0.5:1) unregistered')
    expect(await weights()).toEqual([null, 3, 5, 4, 4])
  })

  test('weight: changes no service if the change of one service is refused', async () => {
    await etcd.ctl('put', ...registration('payments', '10.0.0.6:3', { weight: 0 }))
    const ran = await tool.run('weight', '--host', '10.0.0.5', '0', '--yes')
    expect(ran.code).toBe(6)
    expect(await weights()).toEqual([2, 3, 5, 4, 0])
  })

  test('weight: uses one transaction per service; JSON is grouped by service if the command names none', async () => {
    const before = await revision(etcd)
    const doc = await json<WeightDoc>('weight', 'hello', '-l', 'version=2.0.0', '+1', '--yes')
    expect(doc.changes.map(({ addr, from, to }) => [addr, from, to])).toEqual([
      ['10.0.0.6:1', 3, 4],
      ['10.0.0.6:2', 5, 6],
    ])
    expect(await revision(etcd)).toBe(before + 1)
    const all = await json<WeightsDoc>('weight', '--host', '10.0.0.5', '50%', '--yes')
    expectShape('weights', all)
    expect(all.services.map(({ service }) => service)).toEqual(['hello', 'payments'])
    expect(await weights()).toEqual([1, 4, 6, 2, 4])
  })

  test('weight: a selection skips drained endpoints, unless --drained is given', async () => {
    await etcd.ctl('put', ...registration('hello', '10.0.0.6:1', { version: '2.0.0', weight: 0 }))
    const ran = await tool.run('weight', 'hello', '-l', 'version=2.0.0', '8', '--yes')
    expect(ran.stderr).toContain('! 10.0.0.6:1 left as it is: weight 0')
    expect(await weights()).toEqual([2, 0, 8, 4, 4])
    await json('weight', 'hello', '-l', 'version=2.0.0', '9', '--drained', '--yes')
    expect(await weights()).toEqual([2, 9, 9, 4, 4])
  })

  test('unregister: uses one transaction per service, and leaves the leases to their owners', async () => {
    const before = await revision(etcd)
    const doc = await json<UnregisterDoc>('unregister', 'hello', '-l', 'version=2.0.0', '--yes')
    expect(doc.removed.map(({ addr }) => addr)).toEqual(['10.0.0.6:1', '10.0.0.6:2'])
    expect(await revision(etcd)).toBe(before + 1)
    expect(await weights()).toEqual([2, null, null, 4, 4])
    const all = await json<{ services: UnregisterDoc[] }>('unregister', '--host', '10.0.0.5', '--yes')
    expectShape('unregisters', all)
    expect(await weights()).toEqual([null, null, null, null, 4])
  })

  test('unregister: removes more keys than fit into one transaction', async () => {
    const many = Array.from({ length: 130 }, (_, at) => ({ addr: `10.1.0.1:${at + 1}` }))
    await putAll(etcd, 'many', many.slice(0, 100))
    await putAll(etcd, 'many', many.slice(100))
    const doc = await json<UnregisterDoc>('unregister', 'many', '--host', '10.1.0.1', '--yes')
    expect(doc.removed).toHaveLength(130)
    expect(await storedText(etcd, '/many/10.1.0.1:130')).toBe('')
  })

  test('drain: drains a host over all services, and undoes that', async () => {
    const running = disco.start('drain', '--host', '10.0.0.5', '--yes', '--grace', '1m', '--json')
    await running.printed('payments 10.0.0.5:2 weight 4 → 0')
    await running.printed('hello 10.0.0.5:1 weight 2 → 0')
    const stopped = await running.end('SIGINT')
    expect(stopped.code).toBe(130)
    const doc = JSON.parse(stopped.stdout) as DrainsDoc
    expectShape('drains', doc)
    expect(doc.drains.map(({ service, interrupted }) => [service, interrupted])).toEqual([
      ['hello', true],
      ['payments', true],
    ])
    expect(await weights()).toEqual([0, 3, 5, 0, 4])
    const planned = await disco.run('drain', '--host', '10.0.0.5', '--undo', '--dry-run')
    expect(planned.code).toBe(0)
    expect(planned.stdout).toMatch(/^hello 10\.0\.0\.5:\d+ would be restored: weight 0 → \d+$/m)
    const isPlan = await json('drain', '--host', '10.0.0.5', '--undo', '--dry-run')
    expect(JSON.stringify(isPlan)).toContain('"dryRun":true')
    expect((await disco.run('wait', '--host', '10.0.0.5', '--for', 'drained', '--timeout', '0')).code).toBe(0)
    await json('drain', '--host', '10.0.0.5', '--undo', '--yes')
    expect(await weights()).toEqual([2, 3, 5, 4, 4])
    const drained = await json<DrainsDoc>('drain', '--host', '10.0.0.5', '--yes', '--grace', '0')
    expect(drained.drains.map(({ key, unregistered }) => [key, unregistered])).toEqual([
      [KEYS[0], true],
      [KEYS[3], true],
    ])
    expect(await weights()).toEqual([null, 3, 5, null, 4])
  })

  test('drain: an undo continues after an endpoint whose former weight is not known', async () => {
    await etcd.ctl('put', ...registration('hello', '10.0.0.5:77', { version: '1.0.0', weight: 0 }))
    const running = disco.start('drain', 'hello', '-l', 'version=1.0.0,weight>0', '--yes', '--grace', '1m')
    await running.printed('→ unregistering')
    const stopped = await running.end('SIGINT')
    // The weight is 0 now, so the conditions of the drain would not select the endpoint.
    expect(stopped.stdout).toContain('Undo: disco drain hello /hello/1.0.0/10.0.0.5:1 --undo\n')
    const undone = await disco.run('drain', '--host', '10.0.0.5', '--undo', '--yes')
    expect({ code: undone.code, stderr: undone.stderr }).toEqual({ code: 6, stderr: '' })
    expect(undone.stdout).toMatch(/! hello 10\.0\.0\.5:77 stays drained: .*no other weight/)
    expect(await weights()).toEqual([2, 3, 5, 4, 4])
  })

  test('drain: a service without weights is refused before any change, with a reason for each service', async () => {
    const put = (service: string, addr: string) =>
      etcd.ctl('put', ...registration(service, addr, { weight: 0 }))
    await put('unset', '10.0.0.5:3')
    await put('unset', '10.0.0.6:3')
    await put('unset2', '10.0.0.5:4')
    const ran = await tool.run('drain', '--host', '10.0.0.5', '--yes', '--grace', '0')
    expect(ran.code).toBe(6)
    expect(ran.stderr).toContain('unset has no weights')
    expect(ran.stderr).toContain('unset2 has no weights')
    expect(await weights()).toEqual([2, 3, 5, 4, 4])
  })

  test('drain: endpoints that cannot carry a weight are refused with a remedy if selected alone, skipped beside others, and removed at once with --force', async () => {
    const naming = (service: string, addr: string) =>
      etcd.ctl('put', `${service}/${addr}`, JSON.stringify({ Op: 0, Addr: addr, Metadata: null }))
    await naming('plain', '10.0.0.5:7')
    const refused = await tool.run('drain', '--host', '10.0.0.5', '--yes', '--grace', '0')
    expect({ code: refused.code, stderr: refused.stderr }).toEqual({
      code: 6,
      stderr: [
        '✗ plain 10.0.0.5:7 cannot be drained: the layout etcd carries no weight',
        '  Remove it at once: disco unregister plain 10.0.0.5:7',
        '  Or add --force: endpoints without a weight are removed at once, the others are drained',
        '',
      ].join('\n'),
    })
    expect(await weights()).toEqual([2, 3, 5, 4, 4])
    await etcd.ctl('del', 'plain/10.0.0.5:7')
    await naming('payments', '10.0.0.5:8')
    const beside = await tool.run('drain', 'payments', '--host', '10.0.0.5', '--yes', '--dry-run')
    expect(beside).toMatchObject({
      code: 0,
      stdout: 'payments 10.0.0.5:2 would be drained: weight 4 → 0, unregistered after 30s\n',
      stderr: expect.stringMatching(
        /^! payments 10\.0\.0\.5:8 left as it is: .*\n {2}.*add --force\n$/,
      ) as string,
    })
    const forced = ['drain', '--host', '10.0.0.5', '--yes', '--force', '--grace', '0'] as const
    const planned = await tool.run(...forced, '--dry-run')
    expect(planned.stdout.split('\n')).toContain(
      'payments 10.0.0.5:8 would be unregistered at once: it cannot carry a weight',
    )
    const doc = await json<DrainsDoc>(...forced)
    expect(doc.drains.map(({ key, unregistered }) => [key, unregistered])).toEqual([
      [KEYS[0], true],
      [KEYS[3], true],
      ['payments/10.0.0.5:8', true],
    ])
    expect(await weights()).toEqual([null, 3, 5, null, 4])
    expect(await storedText(etcd, 'payments/10.0.0.5:8')).toBe('')
  })

  test('drain: changes no service if the drain of one service is refused', async () => {
    await etcd.ctl('put', ...registration('payments', '10.0.0.6:3', { weight: 0 }))
    const ran = await tool.run('drain', '--host', '10.0.0.5', '--yes', '--grace', '0')
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({
      code: 6,
      stderr: expect.stringContaining('This would drain the last weighted endpoint of payments') as string,
    })
    expect(await weights()).toEqual([2, 3, 5, 4, 0])
  })

  test.each([
    [['weight', 'hello', '-l', 'version=2.0.0', '7'], '10.0.0.6:1 would get weight 3 → 7'],
    [['weight', 'hello', '10.0.0.6:1', '7'], '10.0.0.6:1 would get weight 3 → 7'],
    [['drain', '--host', '10.0.0.5'], 'payments 10.0.0.5:2 would be drained: weight 4 → 0'],
    [['drain', 'hello', '10.0.0.5:1'], 'hello 10.0.0.5:1 would be drained: weight 2 → 0'],
    [['unregister', '--host', '10.0.0.5'], '1 endpoint of hello (10.0.0.5:1) would be unregistered'],
    [['unregister', 'hello', '10.0.0.5:1'], 'hello 10.0.0.5:1 would be unregistered'],
  ])('%j --dry-run shows the change and does not make it', async (args, line) => {
    const before = await revision(etcd)
    const ran = await tool.run(...args, '--dry-run')
    expect(ran.code, ran.stderr).toBe(0)
    expect(ran.stdout).toContain(line)
    const doc = JSON.parse((await tool.run(...args, '--dry-run', '--json')).stdout) as object
    expect(JSON.stringify(doc)).toContain('"dryRun":true')
    expect(await revision(etcd)).toBe(before)
  })

  test.each([
    [['weight', 'etcd:///hello', '5'], 'Missing arguments: an address and a weight, or --all and a weight'],
    [['weight', 'etcd://2.0.0/hello', '--all', '5'], '--all means every endpoint'],
    [['drain', 'hello', '-l', 'version!=1.0.0 zone=b', '--yes'], 'Invalid --selector'],
    [['unregister', 'hello', '-l', 'zonee!=b', '--yes'], 'No endpoint has metadata named zonee'],
    [['unregister', 'hello', '-l', 'zone=', '--yes'], 'a value is empty'],
    [['unregister', 'etcd:///hello?zone=', '--yes'], 'The value of zone is empty'],
    [['weight', 'etcd:///hello?select=zone%3D', '5', '--yes'], 'a value is empty'],
    [['drain', 'etcd:///hello?select=zone%20in%20(a,)', '--yes'], 'a value is empty'],
    [['unregister', 'hello', '-l', 'version=1.0.0', '--version', '', '--yes'], 'Invalid --version ""'],
    [
      ['wait', 'hello', '-l', 'version=9', '--for', 'gone 10.0.0.5:1'],
      '"gone 10.0.0.5:1" names its endpoint',
    ],
    [['drain', '--host', '[]', '--yes'], 'Invalid --host "[]": the host is empty'],
  ])('%j is refused, because it would select more than it appears to', async (args, problem) => {
    const metadata = { zone: 'b' }
    await etcd.ctl('put', ...registration('hello', '10.0.0.7:1', { version: '1.0.0', metadata }))
    const before = await revision(etcd)
    const ran = await tool.run(...args)
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining(problem) as string,
    })
    expect(await revision(etcd)).toBe(before)
  })

  test.each(['weight', 'drain', 'unregister'])(
    '%s: an empty --version beside an address means the endpoint without a version',
    async (command) => {
      await etcd.ctl('put', ...registration('hello', '10.0.0.5:1'))
      const weight = command === 'weight' ? ['7'] : []
      const { code, stdout } = await tool.run(
        command,
        'hello',
        '10.0.0.5:1',
        ...weight,
        '--version',
        '',
        '--dry-run',
        '--json',
      )
      expect(code, stdout).toBe(0)
      expect(stdout).toContain('"/hello/10.0.0.5:1"')
      expect(stdout).not.toContain('/hello/1.0.0/')
    },
  )

  test('weight: a URI without conditions means the whole service', async () => {
    const doc = await json<WeightDoc>('weight', 'etcd:///hello', '--all', '5')
    expect(doc.changes).toHaveLength(3)
    expect(await weights()).toEqual([5, 5, 5, 4, 4])
  })

  test.each([
    [['weight', 'hello', '-l', 'zone=q', '5', '--yes']],
    [['drain', 'hello', '-l', 'zone=q', '--yes']],
    [['unregister', '--host', '10.9.9.9', '--yes']],
  ])('%j exits 4, because it selects no endpoint', async (args) => {
    const ran = await tool.run(...args)
    expect(ran.code).toBe(4)
    expect(ran.stderr).toMatch(/^✗ No endpoint of (hello|any service) is selected by /)
  })
})

describe('a target of one endpoint', () => {
  test('weight, drain and unregister select the version that a URI names', async () => {
    await etcd.ctl('put', ...registration('hello', '10.0.0.5:1', { version: '2.0.0', weight: 2 }))
    expect((await tool.run('weight', 'hello', '10.0.0.5:1', '6')).code).toBe(6)
    await json('weight', 'etcd://2.0.0/hello', '10.0.0.5:1', '6')
    expect(await storedWeight(etcd, '/hello/2.0.0/10.0.0.5:1')).toBe(6)
    expect(await storedWeight(etcd, '/hello/1.0.0/10.0.0.5:1')).toBe(2)
    await json('unregister', 'etcd://2.0.0/hello', '10.0.0.5:1')
    expect(await storedText(etcd, '/hello/2.0.0/10.0.0.5:1')).toBe('')
    await json('drain', 'etcd:///hello?version=1.0.0', '10.0.0.5:1', '--grace', '0')
    expect(await storedText(etcd, '/hello/1.0.0/10.0.0.5:1')).toBe('')
  })

  test('register takes the version and the layout from a URI, and refuses a selection', async () => {
    const held = disco.start('register', 'etcd://3.0.0/hello', '10.0.0.7:1')
    await held.printed('"type":"added"')
    expect(await storedWeight(etcd, '/hello/3.0.0/10.0.0.7:1')).toBe(1)
    const other = disco.start('register', 'etcd:///team%2Fone?layout=etcd', '10.0.0.7:1')
    await other.printed('"type":"added"')
    expect(await storedText(etcd, 'team/one/10.0.0.7:1')).toContain('"Addr":"10.0.0.7:1"')
    const undialable = disco.start('register', 'hello', '0.0.0.0:7')
    await undialable.printed('! 0.0.0.0:7: 0.0.0.0 means all interfaces of a server')
    for (const target of ['etcd:///hello?zone=b', 'etcd:///hello?select=weight%3E0', 'dns:///hello:1']) {
      expect((await tool.run('register', target, '10.0.0.7:1')).code).toBe(2)
    }
  })
})
