import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EtcdClient } from '../../src/etcd/client.js'
import { prefixRange } from '../../src/etcd/key-range.js'
import { type RangeUpdate, watchRange } from '../../src/etcd/range-watch.js'
import { until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { EtcdApi } from '../support/etcd-api.js'
import { FaultProxy } from '../support/fault-proxy.js'

/** Actions on the keys, their history, and the connection of the watch. */
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ put: fc.nat({ max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ delete: fc.nat({ max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ together: fc.uniqueArray(fc.nat({ max: 4 }), { minLength: 2 }) }) },
  { weight: 2, arbitrary: fc.constant('compact' as const) },
  { weight: 2, arbitrary: fc.constant('cut' as const) },
  { weight: 2, arbitrary: fc.record({ cutAfterBytes: fc.integer({ min: 1, max: 2_000 }) }) },
  { weight: 1, arbitrary: fc.constant('outage' as const) },
  { weight: 1, arbitrary: fc.constant('refuse' as const) },
  { weight: 2, arbitrary: fc.constant('accept' as const) },
  { weight: 3, arbitrary: fc.record({ waitMs: fc.nat({ max: 150 }) }) },
  { weight: 4, arbitrary: fc.constant('hear' as const) },
)

/** The runs wait for hundreds of connections to recover. */
const TIMEOUT_MS = 180_000

/** Longer than an interruption that the next attempt repairs. */
const OUTAGE_MS = 400

type Step = typeof step extends fc.Arbitrary<infer Made> ? Made : never

/** A key with its new value, or with null if it was deleted. */
type Change = readonly [key: string, value: string | null]

/** The writes by revision. etcd itself may have compacted them. */
class Truth {
  private readonly byRevision = new Map<number, readonly Change[]>()
  last = 0

  add(revision: number, changes: readonly Change[]): void {
    this.byRevision.set(revision, changes)
    this.last = revision
  }

  at(revision: number): readonly Change[] {
    return this.byRevision.get(revision) ?? []
  }

  /** The revisions with writes, between two revisions (both excluded). */
  between(after: number, before: number): number[] {
    return [...this.byRevision.keys()].filter((revision) => revision > after && revision < before)
  }

  viewAt(revision: number): Map<string, string> {
    const view = new Map<string, string>()
    for (const [at, changes] of this.byRevision) if (at <= revision) applyTo(view, changes)
    return view
  }
}

function applyTo(view: Map<string, string>, changes: readonly Change[]): void {
  for (const [key, value] of changes) {
    if (value === null) view.delete(key)
    else view.set(key, value)
  }
}

let etcd: RealEtcd
let api: EtcdApi
let runs = 0

beforeAll(async () => {
  etcd = await RealEtcd.start()
  api = new EtcdApi(etcd.endpoint)
})
afterAll(async () => {
  api.close()
  await etcd.stop()
})

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** A watch under test, with a function that waits until it has reported a revision. */
interface Watched {
  readonly prefix: string
  readonly proxy: FaultProxy
  hears(revision: number): Promise<void>
}

/** Runs the steps, and waits until the watch has reported the last write. */
async function play(steps: readonly Step[], { prefix, proxy, hears }: Watched): Promise<Truth> {
  const truth = new Truth()
  let isRefusing = false
  const keyOf = (key: number) => `${prefix}${key}`
  let written = 0
  const putAll = async (keys: readonly number[]): Promise<void> => {
    const changes = keys.map((key): [string, string] => [keyOf(key), String(++written)])
    const success = changes.map(([key, value]) => ({
      request_put: { key: base64(key), value: base64(value) },
    }))
    truth.add(revisionOf(await api.get('KV/Txn', { success })), changes)
  }
  await putAll([0, 1])
  await hears(truth.last)
  for (const each of steps) {
    isRefusing = each === 'refuse' || each === 'outage' || (isRefusing && each !== 'accept')
    if (each === 'compact') await api.call('KV/Compact', { revision: String(truth.last) })
    else if (each === 'cut') proxy.cut()
    else if (each === 'refuse') await proxy.refuse()
    else if (each === 'accept') await proxy.accept()
    else if (each === 'outage') await proxy.refuse().then(() => delay(OUTAGE_MS))
    else if (each === 'hear') await (isRefusing ? delay(10) : hears(truth.last))
    else if ('waitMs' in each) await delay(each.waitMs)
    else if ('cutAfterBytes' in each) proxy.cutAfter('toClient', each.cutAfterBytes)
    else if ('put' in each) await putAll([each.put])
    else if ('together' in each) await putAll(each.together)
    else {
      const gone = await api.get('KV/DeleteRange', { key: base64(keyOf(each.delete)) })
      if (gone.deleted !== '0') truth.add(revisionOf(gone), [[keyOf(each.delete), null]])
    }
  }
  await proxy.heal()
  await putAll([4])
  await hears(truth.last)
  return truth
}

function revisionOf({ header }: { readonly header?: unknown }): number {
  return Number((header as { revision: string }).revision)
}

function changesOf(update: Extract<RangeUpdate, { type: 'changes' | 'resync' }>): Change[] {
  return update.events.map((event) =>
    event.type === 'put' ? [event.kv.key, event.kv.value.toString()] : [event.key, null],
  )
}

/** Checks the updates against the writes: none is invented, missing or repeated. Returns the resulting view. */
function follow(updates: readonly RangeUpdate[], truth: Truth): Map<string, string> {
  const view = new Map<string, string>()
  let position = 0
  for (const [index, update] of updates.entries()) {
    if (update.type === 'stale') continue
    if (update.type === 'reset') {
      expect(updates.slice(0, index).every(({ type }) => type === 'stale')).toBe(true)
      applyTo(
        view,
        update.kvs.map(({ key, value }) => [key, value.toString()]),
      )
      expect(view).toEqual(truth.viewAt(update.revision))
    } else if (update.type === 'changes') {
      expect(truth.between(position, update.revision)).toEqual([])
      expect(update.revision).toBeGreaterThan(position)
      expect(changesOf(update)).toEqual(truth.at(update.revision))
      applyTo(view, changesOf(update))
    } else if (update.missedRevisions === null) {
      expect(update).toMatchObject({ revision: position, events: [] })
    } else {
      // A list without a difference advances the watch without an update.
      expect(update.missedRevisions).toBeLessThanOrEqual(update.revision - position)
      const changes = changesOf(update)
      for (const [key, value] of changes) expect(view.get(key) ?? null).not.toBe(value)
      applyTo(view, changes)
      expect(view).toEqual(truth.viewAt(update.revision))
    }
    position = update.revision
  }
  return view
}

/** Runs the steps against a watch through a proxy of its own. Returns its updates and the writes. */
async function updatesAfter(steps: readonly Step[], resyncPeriodMs: number): Promise<[RangeUpdate[], Truth]> {
  await using proxy = await FaultProxy.start(etcd.endpoint)
  const client = await EtcdClient.create({
    endpoints: [proxy.endpoint],
    endpointsSource: 'the test',
    commandTimeoutMs: 10_000,
    dialTimeoutMs: 1_000,
  })
  const prefix = `/run-${runs++}/`
  const stop = new AbortController()
  const updates: RangeUpdate[] = []
  const watching = (async () => {
    const options = { resyncPeriodMs, random: Math.random }
    for await (const update of watchRange(client, prefixRange(prefix), stop.signal, options)) {
      updates.push(update)
    }
  })()
  const hears = async (revision: number): Promise<void> => {
    const hasHeard = () => updates.some((update) => update.type !== 'stale' && update.revision >= revision)
    const heard = until(hasHeard, () => `revision ${revision}, got ${JSON.stringify(updates)}`)
    // A watch that has thrown reports nothing more.
    await Promise.race([heard, watching])
  }
  try {
    return [updates, await play(steps, { prefix, proxy, hears })]
  } finally {
    stop.abort()
    await watching
    client.close()
  }
}

describe.concurrent('a watch during any interleaving of puts, deletes, compactions, cuts and new lists', () => {
  // In parallel, because a run mostly waits for a connection to recover.
  test.each([1, 2, 3, 4])(
    'ends with the view of etcd, and reports each change once and in order (%i of 4)',
    async () => {
      const steps = fc.array(step, { minLength: 5, maxLength: 40, size: 'max' })
      const resyncPeriodMs = fc.constantFrom(5, 50, 300_000)
      await fc.assert(
        fc.asyncProperty(steps, resyncPeriodMs, async (each, period) => {
          const [updates, truth] = await updatesAfter(each, period)
          expect(follow(updates, truth)).toEqual(truth.viewAt(truth.last))
        }),
        { numRuns: 25 },
      )
    },
    TIMEOUT_MS,
  )
})
