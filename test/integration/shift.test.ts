import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { runGuard } from '../../src/agent/processes/guard.js'
import { type StepsReports, shiftInSteps } from '../../src/agent/shift-steps.js'
import { DiscoError } from '../../src/domain/errors.js'
import { parseSelector } from '../../src/domain/selector.js'
import { shiftShares } from '../../src/registry/shift/shift.js'
import { undoShift } from '../../src/registry/shift/undo.js'
import { putThreeAndCanary, THREE_AND_CANARY, weightsByAddress } from '../support/canary.js'
import { until } from '../support/disco.js'
import { putAll, registration, revision, wipe } from '../support/etcd-state.js'
import { openRegistry } from '../support/registry.js'
import { sharedEtcd } from '../support/shared-etcd.js'

const etcd = await sharedEtcd()
const registry = await openRegistry([etcd.endpoint])
afterAll(() => registry.close())
beforeEach(() => wipe(etcd))

const CANARY = { filter: { select: parseSelector('version=2.0.0'), addrs: [], host: null } }
const ignore: StepsReports = { onStep: () => undefined, onGuard: () => undefined, onBack: () => undefined }
const never = new AbortController().signal
const onWrite = () => () => undefined
const unstopped = { once: never, twice: never, thrice: never, onWrite }

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const put = (addr: string, version: string, weight: number) =>
  etcd.ctl('put', ...registration('hello', addr, { version, weight }))

describe('a shift', () => {
  test('uses one transaction', async () => {
    await putThreeAndCanary(etcd)
    const before = await revision(etcd)
    const shifted = await shiftShares(registry, 'hello', [{ ...CANARY, sharePpm: 250_000 }])
    expect(shifted).toMatchObject({ revision: before + 1, written: true })
    expect(await revision(etcd)).toBe(before + 1)
    expect(await weightsByAddress(registry)).toEqual({
      '10.0.0.1:1': 1,
      '10.0.0.1:2': 2,
      '10.0.0.1:3': 3,
      '10.0.0.2:1': 2,
    })
  })

  test('keeps the leases', async () => {
    const lease = /lease (\w+)/.exec(await etcd.ctl('lease', 'grant', '60'))?.[1] ?? ''
    await etcd.ctl('put', ...registration('hello', '10.0.0.1:1', { version: '1.0.0' }), `--lease=${lease}`)
    await put('10.0.0.2:1', '2.0.0', 1)
    await shiftShares(registry, 'hello', [{ ...CANARY, sharePpm: 100_000 }])
    const { endpoints } = await registry.list('hello')
    expect(endpoints.map((endpoint) => endpoint.lease)).toEqual([lease.padStart(16, '0'), null])
  })
})

describe('an undo', () => {
  test('restores the weights from before the last shift, and an undo of the undo restores the shift', async () => {
    await putThreeAndCanary(etcd)
    await shiftShares(registry, 'hello', [{ ...CANARY, sharePpm: 250_000 }])
    const afterFirst = await weightsByAddress(registry)
    await shiftShares(registry, 'hello', [{ ...CANARY, sharePpm: 900_000 }])
    const afterSecond = await weightsByAddress(registry)
    await undoShift(registry, 'hello')
    expect(await weightsByAddress(registry)).toEqual(afterFirst)
    await undoShift(registry, 'hello')
    expect(await weightsByAddress(registry)).toEqual(afterSecond)
  })

  test('keeps a weight that was set afterwards, and the weight of an endpoint that registered afterwards', async () => {
    await putThreeAndCanary(etcd)
    await shiftShares(registry, 'hello', [{ ...CANARY, sharePpm: 100_000 }])
    await registry.setWeight({ service: 'hello', addr: '10.0.0.1:1' }, 77)
    await put('10.0.0.9:1', '1.0.0', 5)
    const { leftOut } = await undoShift(registry, 'hello')
    expect(leftOut.map(({ addr }) => addr).toSorted()).toEqual(['10.0.0.1:1', '10.0.0.9:1'])
    expect(await weightsByAddress(registry)).toEqual({
      ...THREE_AND_CANARY,
      '10.0.0.1:1': 77,
      '10.0.0.9:1': 5,
    })
  })

  test('to a revision restores all weights at that revision', async () => {
    await putThreeAndCanary(etcd)
    const { before } = await shiftShares(registry, 'hello', [{ ...CANARY, sharePpm: 100_000 }])
    await shiftShares(registry, 'hello', [{ ...CANARY, sharePpm: 200_000 }])
    await undoShift(registry, 'hello', { to: before.revision })
    expect(await weightsByAddress(registry)).toEqual(THREE_AND_CANARY)
  })

  test('to a revision keeps weights that were set afterwards and new endpoints, and names them', async () => {
    await putThreeAndCanary(etcd)
    const { before } = await shiftShares(registry, 'hello', [{ ...CANARY, sharePpm: 100_000 }])
    await registry.setWeight({ service: 'hello', addr: '10.0.0.1:1' }, 0)
    await registry.setWeight({ service: 'hello', addr: '10.0.0.1:2' }, 77)
    await put('10.0.0.9:1', '1.0.0', 5)
    const { leftOut } = await undoShift(registry, 'hello', { to: before.revision })
    const named = ['10.0.0.1:1', '10.0.0.1:2', '10.0.0.9:1']
    expect(leftOut.map(({ addr }) => addr).toSorted()).toEqual(named)
    expect(await weightsByAddress(registry)).toEqual({
      ...THREE_AND_CANARY,
      '10.0.0.1:1': 0,
      '10.0.0.1:2': 77,
      '10.0.0.9:1': 5,
    })
  })

  test('to a revision restores weights that a shift set to 0, and the scaled weight of an endpoint that registered between shifts', async () => {
    await putThreeAndCanary(etcd)
    const { before } = await shiftShares(registry, 'hello', [{ ...CANARY, sharePpm: 100_000 }])
    await put('10.0.0.9:1', '1.0.0', 1)
    const { changes } = await shiftShares(registry, 'hello', [{ ...CANARY, sharePpm: 200_000 }])
    expect(changes.find(({ endpoint }) => endpoint.addr === '10.0.0.9:1')?.to).toBeGreaterThan(1)
    await shiftShares(registry, 'hello', [{ ...CANARY, sharePpm: 1_000_000 }])
    const { leftOut } = await undoShift(registry, 'hello', { to: before.revision })
    expect(leftOut).toEqual([])
    expect(await weightsByAddress(registry)).toEqual({ ...THREE_AND_CANARY, '10.0.0.9:1': 1 })
  })

  test('after a later write of one weight undoes the shift, not that write', async () => {
    await putThreeAndCanary(etcd)
    await shiftShares(registry, 'hello', [{ ...CANARY, sharePpm: 100_000 }])
    await Promise.all(
      ['10.0.0.1:2', '10.0.0.1:3'].map((addr) => registry.setWeight({ service: 'hello', addr }, 50)),
    )
    await registry.setWeight({ service: 'hello', addr: '10.0.0.2:1' }, 9)
    const { leftOut } = await undoShift(registry, 'hello')
    expect(leftOut.map(({ addr }) => addr).toSorted()).toEqual(['10.0.0.1:2', '10.0.0.1:3', '10.0.0.2:1'])
    expect(await weightsByAddress(registry)).toMatchObject({
      '10.0.0.1:1': 1,
      '10.0.0.1:2': 50,
      '10.0.0.2:1': 9,
    })
  })

  test('of a service without weights is refused if a new endpoint has a weight, because it would get all calls', async () => {
    await putAll(etcd, 'hello', [
      { addr: '10.0.0.1:1', version: '1.0.0', weight: 0 },
      { addr: '10.0.0.2:1', version: '2.0.0', weight: 0 },
    ])
    const { before } = await shiftShares(registry, 'hello', [{ ...CANARY, sharePpm: 100_000 }])
    const shifted = await weightsByAddress(registry)
    await put('10.0.0.9:1', '1.0.0', 1)
    for (const options of [{}, { to: before.revision }]) {
      await expect(undoShift(registry, 'hello', options)).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringContaining('10.0.0.9:1, which has one, would get all') as string,
      })
    }
    expect(await weightsByAddress(registry)).toEqual({ ...shifted, '10.0.0.9:1': 1 })
  })

  test('is refused if there is no shift to undo, or if the history is compacted', async () => {
    await putThreeAndCanary(etcd)
    await expect(undoShift(registry, 'hello')).rejects.toMatchObject({ code: 'CONFLICT' })
    await shiftShares(registry, 'hello', [{ ...CANARY, sharePpm: 100_000 }])
    await etcd.ctl('compact', String(await revision(etcd)))
    await expect(undoShift(registry, 'hello')).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('does not have revision') as string,
    })
  })
})

describe('steps of a shift', () => {
  const request = (guard: Parameters<typeof shiftInSteps>[1]['guard']) => ({
    service: 'hello',
    ...CANARY,
    sharesPpm: [50_000, 250_000, 1_000_000],
    everyMs: 1,
    guard,
  })

  test('continue while the guard passes', async () => {
    await putThreeAndCanary(etcd)
    const done = await shiftInSteps(
      registry,
      request(async () => ({ ok: true, text: '' })),
      ignore,
      unstopped,
    )
    expect(done).toMatchObject({ end: 'done', back: null })
    expect(await weightsByAddress(registry)).toEqual({
      '10.0.0.1:1': 0,
      '10.0.0.1:2': 0,
      '10.0.0.1:3': 0,
      '10.0.0.2:1': 38,
    })
  })

  test('are undone in one transaction if the guard fails', async () => {
    await putThreeAndCanary(etcd)
    const before = await revision(etcd)
    let asked = 0
    const guard = async () => ({ ok: ++asked < 2, text: 'exit code 1' })
    const done = await shiftInSteps(registry, request(guard), ignore, unstopped)
    expect(done).toMatchObject({ end: 'guard failed', back: { leftOut: [] } })
    expect(await weightsByAddress(registry)).toEqual(THREE_AND_CANARY)
    expect(await revision(etcd)).toBe(before + 3)
  })

  test('are undone if another client sets a weight between them, and that weight is kept', async () => {
    await putThreeAndCanary(etcd)
    const guard = async () => {
      await registry.setWeight({ service: 'hello', addr: '10.0.0.1:1' }, 77)
      return { ok: true, text: '' }
    }
    const running = shiftInSteps(registry, request(guard), ignore, unstopped)
    await expect(running).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(
        /^Another client has set the weight of 10\.0\.0\.1:1 from \d+ to 77/,
      ) as string,
    })
    expect(await weightsByAddress(registry)).toEqual({ ...THREE_AND_CANARY, '10.0.0.1:1': 77 })
  })

  test('end a guard that hangs together with its children, which counts as a failure', async () => {
    const hung = await runGuard(['sh', '-c', 'sleep 600 & wait'], {}, 200, never, never)
    expect(hung).toEqual({ ok: false, text: 'did not end in 0.2s' })
    const absent = await runGuard(['/nonexistent'], {}, 200, never, never)
    expect(absent).toMatchObject({ ok: false, text: expect.stringContaining('Cannot run') as string })
  })

  test.each([
    ['has ended well', 'sleep 601 & echo $! > "$0"', 60_000, true],
    [
      'was aborted, at once if there is no time left',
      'sh -c \'trap "" TERM; echo $$ > "$0"; while :; do sleep 1; done\' "$0" & wait',
      1_500,
      false,
    ],
  ])('leave no process of a guard that %s', async (_, script, endAfterMs, ok) => {
    const [signal, hurry] = [AbortSignal.timeout(endAfterMs), AbortSignal.timeout(2 * endAfterMs)]
    const file = join(await mkdtemp(join(tmpdir(), 'guard-')), 'pid')
    expect(await runGuard(['sh', '-c', script, file], {}, 60_000, signal, hurry)).toMatchObject({ ok })
    const child = Number(await readFile(file, 'utf8'))
    await until(
      () => !isAlive(child),
      () => `process ${child} to end`,
    )
    await rm(dirname(file), { recursive: true, maxRetries: 5 })
  })

  test('report the current weights if they cannot be restored', async () => {
    await putThreeAndCanary(etcd)
    const over = new AbortController()
    const guard = async () => {
      over.abort(new DiscoError('INTERRUPTED', 'twice'))
      return { ok: false, text: 'exit code 1' }
    }
    const stopped = { ...unstopped, twice: over.signal, thrice: over.signal }
    await expect(shiftInSteps(registry, request(guard), ignore, stopped)).rejects.toMatchObject({
      message: expect.stringContaining('the weights are those of the last step') as string,
      suggestions: expect.arrayContaining([expect.stringMatching(/^They are: \/hello\//)]) as string[],
    })
  })
})
