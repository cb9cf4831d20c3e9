import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { type StepsReports, shiftInSteps } from '../../src/agent/shift-steps.js'
import { DiscoError } from '../../src/domain/errors.js'
import { parseSelector } from '../../src/domain/selector.js'
import type { Registry } from '../../src/registry/registry.js'
import { putAll, registration, storedText, wipe } from '../support/etcd-state.js'
import { openRegistry } from '../support/registry.js'
import { sharedEtcd } from '../support/shared-etcd.js'

const etcd = await sharedEtcd()
const registry = await openRegistry([etcd.endpoint])
afterAll(() => registry.close())
beforeEach(() => wipe(etcd))

const CANARY = { select: parseSelector('version=2.0.0'), addrs: [], host: null }
const [OLD, OTHER, NEW] = ['10.0.0.1:1', '10.0.0.1:2', '10.0.0.2:1']
const ignore: StepsReports = { onStep: () => undefined, onGuard: () => undefined, onBack: () => undefined }
const never = new AbortController().signal
const onWrite = () => () => undefined
const unstopped = { once: never, twice: never, thrice: never, onWrite }

const put = (addr: string, version: string, weight: number) =>
  etcd.ctl('put', ...registration('hello', addr, { version, weight }))

/** Registers two endpoints of the old version and a canary, with these weights. */
const put3 = (weights: readonly [number, number, number]) =>
  putAll(etcd, 'hello', [
    { addr: OLD, version: '1.0.0', weight: weights[0] },
    { addr: OTHER, version: '1.0.0', weight: weights[1] },
    { addr: NEW, version: '2.0.0', weight: weights[2] },
  ])

/** Weights by address of the endpoints that can be dialled. */
async function weights(): Promise<Record<string, number>> {
  const { endpoints } = await registry.list('hello')
  const usable = endpoints.filter(({ problem }) => problem === null)
  return Object.fromEntries(usable.map(({ addr, weight }) => [addr, weight]))
}

const shift = (guard: () => Promise<boolean>, { over = registry, signals = unstopped } = {}) =>
  shiftInSteps(
    over,
    {
      service: 'hello',
      filter: CANARY,
      sharesPpm: [50_000, 250_000],
      everyMs: 1,
      guard: async () => ({ ok: await guard(), text: 'exit code 1' }),
    },
    ignore,
    signals,
  )

/**
 * A registry that loses the answers to the given transactions of a shift, counted from 1. etcd has carried them out.
 */
function losing(lost: readonly number[], also: () => Promise<unknown> = async () => undefined): Registry {
  let sent = 0
  const losesAnswers = Object.create(registry) as Registry
  losesAnswers.internals = (options) => {
    const { client, reader } = registry.internals(options)
    const wrapped = Object.create(client) as typeof client
    wrapped.txn = async (request, onAnswerLost) => {
      const response = await client.txn(request, onAnswerLost)
      sent++
      if (!lost.includes(sent)) return response
      await also()
      throw new DiscoError('OUTCOME_UNKNOWN', 'the answer was lost')
    }
    return { client: wrapped, reader }
  }
  return losesAnswers
}

/** A guard that passes once and fails afterwards. */
const goodOnce = (between: () => Promise<unknown> = async () => undefined) => {
  let asked = 0
  return async () => {
    if (++asked === 1) await between()
    return asked < 2
  }
}

describe('restoring the weights after a failed shift', () => {
  test('skips unreadable keys, and keeps their values', async () => {
    await put3([1, 3, 4])
    await etcd.ctl('put', '/hello/1.0.0/x', '{"broken"')
    const [badWeight] = registration('hello', '10.0.0.3:1', { version: '1.0.0' })
    await etcd.ctl('put', badWeight, '{"name":"hello","addr":"10.0.0.3:1","version":"1.0.0","weight":"abc"}')
    const done = await shift(async () => false)
    expect(done).toMatchObject({ end: 'guard failed', back: { leftOut: [] } })
    expect(await weights()).toEqual({ [OLD]: 1, [OTHER]: 3, [NEW]: 4 })
    expect(await storedText(etcd, badWeight)).toContain('"abc"')
  })

  test('restores the weight of an endpoint that registered between two steps', async () => {
    await put3([1, 3, 4])
    const done = await shift(goodOnce(() => put('10.0.0.9:1', '1.0.0', 1)))
    expect(done).toMatchObject({ end: 'guard failed', back: { leftOut: [] } })
    expect(await weights()).toEqual({ [OLD]: 1, [OTHER]: 3, [NEW]: 4, '10.0.0.9:1': 1 })
  })

  test('names an endpoint that registered after the last step', async () => {
    await put3([1, 3, 4])
    const done = await shift(async () => {
      await put('10.0.0.9:1', '1.0.0', 1)
      return false
    })
    expect(done.back?.leftOut).toMatchObject([{ addr: '10.0.0.9:1', weight: 1 }])
  })

  test.each([
    ['after the last step', 1],
    ['between two steps', 2],
  ])(
    'of a service without weights gives every endpoint the weight of an endpoint that registered %s',
    async (_, stepsMade) => {
      await put3([0, 0, 0])
      let asked = 0
      const done = await shift(async () => {
        if (++asked === 1) await put('10.0.0.9:1', '1.0.0', 1)
        return asked < stepsMade
      })
      expect(done.back).toMatchObject({ insteadOfZero: 1 })
      expect(await weights()).toEqual({ [OLD]: 1, [OTHER]: 1, [NEW]: 1, '10.0.0.9:1': 1 })
    },
  )

  test('drains endpoints again that were drained before', async () => {
    await put3([0, 3, 4])
    const done = await shift(async () => {
      await put('10.0.0.9:1', '1.0.0', 1)
      return false
    })
    expect(done.back).toMatchObject({ insteadOfZero: null })
    expect(await weights()).toEqual({ [OLD]: 0, [OTHER]: 3, [NEW]: 4, '10.0.0.9:1': 1 })
  })

  test.each([[1], [2]])('after a lost answer of step %d undoes what that step has written', async (step) => {
    await put3([1, 3, 4])
    await expect(shift(async () => true, { over: losing([step]) })).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      suggestions: expect.arrayContaining([
        expect.stringMatching(/^The weights from before the shift are restored \(rev \d+\)$/),
      ]) as string[],
    })
    expect(await weights()).toEqual({ [OLD]: 1, [OTHER]: 3, [NEW]: 4 })
  })

  test('after a failed step names the endpoints that it does not restore', async () => {
    await put3([1, 3, 4])
    const running = shift(async () => {
      await registry.setWeight({ service: 'hello', addr: OLD }, 77)
      return true
    })
    await expect(running).rejects.toMatchObject({
      code: 'CONFLICT',
      suggestions: [
        expect.stringMatching(/^The weights from before the shift are restored, except for 1 endpoint \(rev/),
        `These keep a weight that was set or registered since: ${OLD} 77`,
      ],
    })
  })

  test('reports the current weights if it fails', async () => {
    await put3([1, 3, 4])
    const [failing, back] = [async () => false, 2]
    // etcd carried out the request. Only its answer was lost.
    await expect(shift(failing, { over: losing([back]) })).rejects.toMatchObject({
      message: expect.stringMatching(/: the weights are those from before the shift \(rev \d+\)$/) as string,
      suggestions: expect.arrayContaining(['The last request to etcd may still take effect']) as string[],
    })
    const goneMeanwhile = losing([back], () => etcd.ctl('del', '/hello/', '--prefix'))
    await expect(shift(failing, { over: goneMeanwhile })).rejects.toMatchObject({
      message: expect.stringContaining('no endpoint of the service is registered') as string,
    })
  })

  test('is ended by a third stop signal if it began after the second', async () => {
    await put3([1, 3, 4])
    const [second, third] = [new AbortController(), new AbortController()]
    const once = async () => {
      second.abort()
      return false
    }
    const done = await shift(once, { signals: { ...unstopped, twice: second.signal } })
    expect(done.end).toBe('guard failed')
    expect(await weights()).toEqual({ [OLD]: 1, [OTHER]: 3, [NEW]: 4 })
    const again = new AbortController()
    const both = async () => {
      again.abort()
      third.abort()
      return false
    }
    const signals = { ...unstopped, twice: again.signal, thrice: third.signal }
    await expect(shift(both, { signals })).rejects.toMatchObject({
      message: expect.stringMatching(/: the weights are those of the last step \(rev \d+\)$/) as string,
    })
  })
})
