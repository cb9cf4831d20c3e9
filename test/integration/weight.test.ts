import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ALL_ENDPOINTS } from '../../src/domain/endpoint-filter.js'
import type { DiscoError } from '../../src/domain/errors.js'
import { readerOf } from '../../src/domain/layouts/reader.js'
import { parseSelector } from '../../src/domain/selector.js'
import { parseWeightChange } from '../../src/domain/weight.js'
import { EtcdClient } from '../../src/etcd/client.js'
import type { Registry } from '../../src/registry/registry.js'
import { setWeight as changeWeights, type WeightChanged } from '../../src/registry/weight.js'
import { chooseTargets } from '../../src/registry/weight-targets.js'
import { EtcdApi } from '../support/etcd-api.js'
import {
  grantLease,
  leaseIds,
  putAll,
  registration,
  revision,
  storedText,
  storedWeight,
} from '../support/etcd-state.js'
import { openRegistry } from '../support/registry.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd } = await toolOnEtcd()
let registry: Registry

beforeEach(async () => {
  registry = await openRegistry([etcd.endpoint])
})
afterEach(() => registry.close())

const ADDR = '127.0.0.1:1001'
const OTHER = '127.0.0.1:1002'
const KEY = `/hello/1.0.0/${ADDR}`

async function put(
  addr: string,
  options: { service?: string; version?: string; weight?: number; lease?: string } = {},
): Promise<void> {
  const { service = 'hello', version = '1.0.0', weight = 1, lease } = options
  const under = lease === undefined ? [] : [`--lease=${lease}`]
  await etcd.ctl('put', ...registration(service, addr, { version, weight }), ...under)
}

function setWeight(
  change: string,
  selection: { addr?: string | null; version?: string; force?: boolean; drained?: boolean } = {},
): Promise<WeightChanged> {
  const { addr = ADDR, version, force = false, drained = false } = selection
  return registry.setWeight({ service: 'hello', addr, version }, parseWeightChange(change), {
    force,
    drained,
  })
}

function unregister(addr: string, version?: string) {
  return registry.unregister({ service: 'hello', addr, version })
}

async function weightOf(addr: string, version = '1.0.0'): Promise<unknown> {
  const value = await storedText(etcd, `/hello/${version}/${addr}`)
  return (JSON.parse(value) as { weight: unknown }).weight
}

/** The error of a refused operation, which must not have written anything. */
async function refusal(attempt: () => Promise<unknown>): Promise<DiscoError> {
  const before = await revision(etcd)
  const thrown = await attempt().then(
    () => new Error('it was not refused'),
    (error: unknown) => error,
  )
  expect(thrown).toMatchObject({ name: 'DiscoError' })
  expect(await revision(etcd)).toBe(before)
  return thrown as DiscoError
}

describe('setWeight', () => {
  test('adds 50 concurrent +1 to exactly 50, over one connection and over several', async () => {
    const lease = await grantLease(etcd, 500)
    await put(ADDR, { weight: 0, lease })
    await put(OTHER)
    const others = await Promise.all(Array.from({ length: 4 }, () => openRegistry([etcd.endpoint])))
    try {
      const all = [registry, ...others]
      const changes = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          (all[index % all.length] ?? registry).setWeight(
            { service: 'hello', addr: ADDR },
            parseWeightChange('+1'),
            { force: false },
          ),
        ),
      )
      expect(await weightOf(ADDR)).toBe(50)
      const results = changes.flatMap(({ changes: [changed] }) => changed?.to ?? [])
      expect(results.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
      expect(new Set(changes.map((changed) => changed.revision)).size).toBe(50)
    } finally {
      for (const other of others) other.close()
    }
    await expectHeldBy(lease, KEY)
  })

  test.each([
    ['5', 5],
    ['+2', 12],
    ['-1', 9],
    ['-10', 0],
    ['50%', 5],
    ['1%', 1],
    ['0', 0],
    ['2147483647', 2147483647],
  ])('%s changes 10 to %i under the same lease', async (change, weight) => {
    const lease = await grantLease(etcd, 500)
    await put(ADDR, { weight: 10, lease })
    await put(OTHER, { weight: 10 })
    const { revision: at, changes } = await setWeight(change)
    expect(await weightOf(ADDR)).toBe(weight)
    expect(at).toBe(await revision(etcd))
    expect(changes).toMatchObject([{ endpoint: { key: KEY }, from: 10, to: weight }])
    expect(changes[0]?.shareFraction.from).toBe(0.5)
    expect(changes[0]?.shareFraction.to).toBeCloseTo(weight / (weight + 10), 12)
    await expectHeldBy(lease, KEY)
  })

  test.each(['-11', '+2147483647'])('%s of 10 is refused, and nothing is written', async (change) => {
    await put(ADDR, { weight: 10 })
    expect(await refusal(() => setWeight(change))).toMatchObject({ code: 'USAGE', exit: 2 })
  })

  test('keeps all other bytes: unknown fields, their order, spaces, numbers, and text after the object', async () => {
    const stored = (weight: number) =>
      ` { "zone":"a\\u003cb", "name":"hello","weight" : ${weight}, "addr":"${ADDR}","version":"1.0.0",` +
      ` "big":12345678901234567890, "deep":{"weight":9,"list":[1,{"weight":2}]}, "tag":"\\"weight\\":7" } \n\n`
    await etcd.ctl('put', KEY, stored(1))
    await put(OTHER)
    await setWeight('42')
    expect(await etcd.ctl('get', KEY, '--print-value-only')).toBe(`${stored(42)}\n`)
  })

  test('adds the field if the value has none', async () => {
    await etcd.ctl('put', KEY, `{"name":"hello","addr":"${ADDR}","version":"1.0.0","x":1}`)
    await put(OTHER)
    await setWeight('3')
    expect(await storedText(etcd, KEY)).toBe(
      `{"name":"hello","addr":"${ADDR}","version":"1.0.0","x":1,"weight":3}`,
    )
  })

  test('of an unreadable value is refused, and the value is kept', async () => {
    await put(OTHER)
    await etcd.ctl('put', KEY, 'not JSON')
    expect(await refusal(() => setWeight('3'))).toMatchObject({ code: 'CONFLICT', exit: 6 })
    expect(await storedText(etcd, KEY)).toBe('not JSON')
  })

  test('repairs a value whose only fault is its weight, but refuses a relative change of it', async () => {
    await put(OTHER)
    await etcd.ctl('put', KEY, `{"name":"hello","addr":"${ADDR}","version":"1.0.0","weight":"heavy","x":1}`)
    expect(await refusal(() => setWeight('+3'))).toMatchObject({ code: 'CONFLICT', exit: 6 })
    const { changes } = await setWeight('3')
    expect(changes).toMatchObject([{ from: null, to: 3, shareFraction: { from: 0, to: 0.75 } }])
    expect(await storedText(etcd, KEY)).toBe(
      `{"name":"hello","addr":"${ADDR}","version":"1.0.0","weight":3,"x":1}`,
    )
  })

  test('to the current weight writes nothing', async () => {
    await put(ADDR, { weight: 3 })
    await put(OTHER)
    const before = await revision(etcd)
    for (const change of ['3', '+0', '100%']) {
      expect((await setWeight(change)).changes, change).toMatchObject([{ from: 3, to: 3, written: false }])
    }
    expect(await revision(etcd)).toBe(before)
  })

  test('in percent of 0 is refused, and the error has the weight that gives that share', async () => {
    await put(ADDR, { weight: 0 })
    await put(OTHER, { weight: 19 })
    const error = await refusal(() => setWeight('5%'))
    expect(error).toMatchObject({ code: 'CONFLICT', exit: 6 })
    expect(error.suggestions.join()).toContain(`disco weight hello ${ADDR} 1`)
    const { changes } = await setWeight('1')
    expect(changes).toMatchObject([{ shareFraction: { to: 0.05 } }])
  })

  test('of a removed endpoint is not found, and does not create the endpoint again', async () => {
    await put(OTHER)
    const error = await refusal(() => setWeight('3'))
    expect(error).toMatchObject({ code: 'NOT_FOUND', exit: 4 })
    expect(error.suggestions.join()).toContain(OTHER)
    expect(await storedText(etcd, KEY)).toBe('')
  })
})

describe('weight 0 everywhere means that weights are unset', () => {
  test('an endpoint that no longer meets the conditions or was drained since the list keeps its weight', async () => {
    await put(ADDR, { version: '2.0.0', weight: 3 })
    await put(OTHER, { version: '2.0.0', weight: 3 })
    await put('127.0.0.1:1003', { version: '2.0.0', weight: 3 })
    const filter = { ...ALL_ENDPOINTS, select: parseSelector('zone!=b,weight>2') }
    const { endpoints } = await registry.list('hello')
    const targets = chooseTargets(endpoints, { service: 'hello', addr: null, filter }, {})
    const value = { name: 'hello', addr: OTHER, version: '2.0.0', weight: 3, metadata: { zone: 'b' } }
    await etcd.ctl('put', `/hello/2.0.0/${OTHER}`, JSON.stringify(value))
    await put('127.0.0.1:1003', { version: '2.0.0', weight: 0 })
    const client = await EtcdClient.create({
      endpoints: [etcd.endpoint],
      endpointsSource: 'test',
      commandTimeoutMs: 5_000,
      dialTimeoutMs: 800,
    })
    try {
      const { changes, leftOut } = await changeWeights(
        client,
        readerOf({}),
        targets,
        parseWeightChange('9'),
        {},
      )
      expect(changes.map(({ endpoint }) => endpoint.addr)).toEqual([ADDR])
      expect(leftOut.map(({ endpoint, reason }) => [endpoint.addr, reason])).toEqual([
        [OTHER, 'changed'],
        ['127.0.0.1:1003', 'changed'],
      ])
      await put(ADDR, { version: '2.0.0', weight: 1 })
      await expect(
        changeWeights(client, readerOf({}), targets, parseWeightChange('9'), {}),
      ).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('no longer selected') })
    } finally {
      client.close()
    }
    expect(await weightOf(OTHER, '2.0.0')).toBe(3)
    expect(await weightOf(ADDR, '2.0.0')).toBe(1)
  })

  test('a first weight, which would drain the others, is refused with a remedy, and set with --force', async () => {
    await put(ADDR, { weight: 0 })
    await put(OTHER, { weight: 0 })
    const error = await refusal(() => setWeight('5'))
    expect(error).toMatchObject({ code: 'CONFLICT', exit: 6 })
    expect(error.message).toContain('would drain the other 1 endpoint')
    expect(error.suggestions.join()).toContain('disco weight hello --all 1')
    const { changes } = await setWeight('5', { force: true })
    expect(changes).toMatchObject([{ from: 0, to: 5, shareFraction: { from: 0.5, to: 1 } }])
  })

  test('--all gives every endpoint a weight in one transaction', async () => {
    await put(ADDR, { weight: 0 })
    await put(OTHER, { weight: 0, version: '2.0.0' })
    const { changes } = await setWeight('1', { addr: null })
    expect(changes.map(({ to, shareFraction }) => [to, shareFraction.to])).toEqual([
      [1, 0.5],
      [1, 0.5],
    ])
  })

  test('--all uses several transactions if the values are too large for one request', async () => {
    const keys = [1, 2, 3, 4].map((port) => `/hello/127.0.0.1:${port}`)
    const api = new EtcdApi(etcd.endpoint)
    for (const key of keys) {
      const value = { name: 'hello', addr: key.slice('/hello/'.length), weight: 1, note: 'x'.repeat(450_000) }
      await api.get('KV/Put', {
        key: Buffer.from(key).toString('base64'),
        value: Buffer.from(JSON.stringify(value)).toString('base64'),
      })
    }
    api.close()
    const before = await revision(etcd)
    const { changes, leftOut } = await setWeight('5', { addr: null })
    expect(changes.map(({ endpoint: { key }, to, written }) => [key, to, written])).toEqual(
      keys.map((key) => [key, 5, true]),
    )
    expect(leftOut).toEqual([])
    expect(await revision(etcd)).toBe(before + 2)
    for (const key of keys) expect(await storedText(etcd, key)).toContain('"weight":5')
  })

  test.each([
    ['first', (index: number) => (index < 150 ? 5 : 6), [0, 0, 0, 1]],
    ['last', (index: number) => (index < 100 ? 6 : 5), [1, 1, 0, 0]],
  ])(
    '--all -5 may drain all endpoints of its %s transaction if others keep a weight',
    async (_, weightAt, after) => {
      const all = Array.from({ length: 200 }, (_, index) => ({
        addr: `127.0.0.1:${1000 + index}`,
        weight: weightAt(index),
      }))
      await putAll(etcd, 'hello', all.slice(0, 100))
      await putAll(etcd, 'hello', all.slice(100))
      await setWeight('-5', { addr: null })
      const some = all.filter((_, index) => index % 50 === 0)
      expect(await Promise.all(some.map(({ addr }) => storedWeight(etcd, `/hello/${addr}`)))).toEqual(after)
    },
  )

  test('--all skips drained endpoints and unreadable values, and reports them', async () => {
    const BROKEN = '/hello/1.0.0/127.0.0.1:1003'
    await put(ADDR, { weight: 0 })
    await put(OTHER, { weight: 1 })
    await etcd.ctl('put', BROKEN, 'not JSON')
    const { changes, leftOut } = await setWeight('19', { addr: null })
    expect(changes).toMatchObject([{ endpoint: { addr: OTHER }, to: 19 }])
    expect(leftOut.map(({ endpoint: { key }, reason }) => [key, reason])).toEqual([
      [KEY, 'drained'],
      [BROKEN, 'unreadable'],
    ])
    expect([await weightOf(ADDR), await storedText(etcd, BROKEN)]).toEqual([0, 'not JSON'])
    await setWeight('7', { addr: null, drained: true })
    expect([await weightOf(ADDR), await weightOf(OTHER)]).toEqual([7, 7])
  })

  test('--all of a version with only drained endpoints is refused, and the error suggests --drained', async () => {
    await put(ADDR, { weight: 0 })
    await put(OTHER, { weight: 1, version: '2.0.0' })
    const error = await refusal(() => setWeight('5', { addr: null, version: '1.0.0' }))
    expect(error).toMatchObject({ code: 'CONFLICT', suggestions: [expect.stringContaining('--drained')] })
  })

  test('a first weight of the only endpoint does not drain another', async () => {
    await put(ADDR, { weight: 0 })
    await setWeight('5')
    expect(await weightOf(ADDR)).toBe(5)
  })

  test('draining the last weighted endpoint, which would unset all weights, is refused without --force', async () => {
    await put(ADDR, { weight: 5 })
    await put(OTHER, { weight: 0 })
    for (const change of ['0', '-5']) {
      const error = await refusal(() => setWeight(change))
      expect(error, change).toMatchObject({ code: 'CONFLICT', exit: 6 })
      expect(error.message).toContain('last weighted endpoint of hello')
    }
    const { changes } = await setWeight('0', { force: true })
    expect(changes).toMatchObject([{ to: 0, shareFraction: { from: 1, to: 0.5 } }])
  })

  test('one of two clients that drain the last two endpoints concurrently is refused', async () => {
    const other = await openRegistry([etcd.endpoint])
    try {
      for (let round = 0; round < 20; round++) {
        await put(ADDR, { weight: 5 })
        await put(OTHER, { weight: 5 })
        const zero = parseWeightChange(round % 2 === 0 ? '0' : '-5')
        const outcomes = await Promise.allSettled([
          registry.setWeight({ service: 'hello', addr: ADDR }, zero, { force: false }),
          other.setWeight({ service: 'hello', addr: OTHER }, zero, { force: false }),
        ])
        const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? outcome.reason : []))
        expect(refused).toMatchObject([{ code: 'CONFLICT', exit: 6 }])
        const weights = [await weightOf(ADDR), await weightOf(OTHER)]
        expect(weights.toSorted()).toEqual([0, 5])
      }
    } finally {
      other.close()
    }
  })

  test('draining one of two weighted endpoints is allowed', async () => {
    await put(ADDR, { weight: 5 })
    await put(OTHER, { weight: 1 })
    const { changes } = await setWeight('0')
    expect(changes).toMatchObject([{ to: 0, shareFraction: { to: 0 } }])
  })
})

describe('an address with two keys', () => {
  const SECOND_KEY = `/hello/2.0.0/${ADDR}`
  beforeEach(async () => {
    await put(ADDR)
    await put(ADDR, { version: '2.0.0' })
  })

  test('is ambiguous: a weight and a removal are refused, and the error lists both keys', async () => {
    for (const attempt of [() => setWeight('5'), () => unregister(ADDR)]) {
      const error = await refusal(attempt)
      expect(error).toMatchObject({ code: 'CONFLICT', exit: 6 })
      expect(error.suggestions).toEqual([KEY, SECOND_KEY, expect.stringContaining('--version')])
    }
  })

  test('is selected by version or by key', async () => {
    await setWeight('5', { version: '2.0.0' })
    await setWeight('7', { addr: KEY })
    expect([await weightOf(ADDR), await weightOf(ADDR, '2.0.0')]).toEqual([7, 5])
    const byKey = await unregister(SECOND_KEY)
    expect(byKey.removed).toMatchObject([{ key: SECOND_KEY }])
    expect((await registry.list('hello')).endpoints.map(({ key }) => key)).toEqual([KEY])
  })

  test('is not found by a version that it does not have', async () => {
    const error = await refusal(() => setWeight('5', { version: '3.0.0' }))
    expect(error).toMatchObject({ code: 'NOT_FOUND', exit: 4 })
    expect((await unregister(ADDR, '3.0.0')).removed).toEqual([])
    const ofAll = await refusal(() => setWeight('5', { addr: null, version: '3.0.0' }))
    expect(ofAll).toMatchObject({ message: 'hello has no endpoint of version 3.0.0' })
  })
})

describe('unregister', () => {
  test('deletes the key, leaves its lease to its owner, and is idempotent', async () => {
    const lease = await grantLease(etcd, 500)
    await put(ADDR, { lease })
    await put(OTHER)
    const first = await unregister(ADDR)
    expect(first.removed).toMatchObject([{ key: KEY, addr: ADDR }])
    expect(first.revision).toBe(await revision(etcd))
    expect(await storedText(etcd, KEY)).toBe('')
    expect(await leaseIds(etcd)).toEqual([lease])
    const again = await unregister(ADDR)
    expect(again).toEqual({
      removed: [],
      leftOut: [],
      wentMeanwhile: false,
      isLast: false,
      revision: first.revision,
    })
    expect(await weightOf(OTHER)).toBe(1)
  })

  test('deletes a key with an unreadable value', async () => {
    await etcd.ctl('put', KEY, 'not JSON')
    expect((await unregister(ADDR)).removed).toMatchObject([{ key: KEY }])
    expect(await storedText(etcd, KEY)).toBe('')
  })

  test('fails with a conflict if a registrar restores the key', async () => {
    await put(ADDR)
    let isOver = false
    const registrar = (async () => {
      // Not through etcdctl, which is too slow: unregister checks for a returning key for one second only.
      while (!isOver) {
        const { endpoints } = await registry.list('hello')
        if (endpoints.length === 0) await putAll(etcd, 'hello', [{ addr: ADDR, version: '1.0.0' }])
      }
    })()
    try {
      await expect(unregister(ADDR)).rejects.toMatchObject({
        name: 'DiscoError',
        code: 'CONFLICT',
        exit: 6,
        message: expect.stringContaining(`${KEY} came back`) as string,
      })
    } finally {
      isOver = true
      await registrar
    }
  })
})

async function expectHeldBy(lease: string, key: string): Promise<void> {
  expect(await etcd.ctl('lease', 'timetolive', lease, '--keys')).toContain(`attached keys([${key}])`)
}
