import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Changes, Reset, Update } from '../../../src/domain/discovery.js'
import { DiscoError } from '../../../src/domain/errors.js'
import { LiveSnapshot } from '../../../src/domain/live-snapshot.js'
import { ListCache } from '../../../src/registry/cache.js'
import type { CachedList } from '../../../src/registry/cached-list.js'
import { cachedWatch } from '../../../src/registry/cached-watch.js'
import { endpoint } from '../../support/endpoints.js'

const MINUTE_MS = 60_000
const TARGET = { members: ['etcd:2379'], layout: 'seed', root: '', service: 'hello' }
const STALE: Update = { type: 'stale', sinceMs: 0, cause: new DiscoError('ETCD_UNREACHABLE', 'away') }

interface Written {
  readonly atMs: number
  readonly revision: number
  readonly endpoints: number
  readonly seenAtMs: number
}

/** Instead of a disk, notes what is written and when. */
class NotedCache extends ListCache {
  readonly writes: Written[] = []

  constructor() {
    super('/nowhere', () => {})
  }

  override async read(): Promise<null> {
    return null
  }

  override async write(_: unknown, { revision, endpoints, seenAtMs }: CachedList): Promise<void> {
    this.writes.push({ atMs: Date.now(), revision, endpoints: endpoints.length, seenAtMs })
  }
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 })
})
afterEach(() => {
  vi.useRealTimers()
})

function listOf(endpoints: number): Reset {
  const made = Array.from({ length: endpoints }, (_, at) => endpoint({ addr: `10.0.0.1:${at}` }))
  return { type: 'reset', revision: 1, endpoints: made, source: 'etcd', ageMs: 0 }
}

/** Revision R gives one of the endpoints weight R. */
function change(revision: number): Changes {
  const one = endpoint({ addr: '10.0.0.1:0', weight: revision })
  return { type: 'changes', revision, changes: [{ type: 'put', key: one.key, endpoints: [one] }] }
}

/** Watches `updates`, each at its time, as the reader of a source does; then leaves. @returns the writes */
async function written(updates: readonly (readonly [atMs: number, Update])[], endMs: number) {
  const [cache, snapshot] = [new NotedCache(), new LiveSnapshot()]
  async function* timed() {
    for (const [atMs, update] of updates) {
      await new Promise((resolve) => setTimeout(resolve, atMs - Date.now()))
      yield update
    }
    await new Promise((resolve) => setTimeout(resolve, endMs - Date.now()))
  }
  const reading = (async () => {
    for await (const update of cachedWatch(timed(), snapshot, cache, TARGET, MINUTE_MS))
      snapshot.apply(update)
  })()
  await vi.advanceTimersByTimeAsync(endMs)
  await reading
  await vi.advanceTimersByTimeAsync(10 * MINUTE_MS)
  return cache.writes
}

/** One change every `periodMs`, from revision 2 on. */
function churn(periodMs: number, forMs: number): [number, Update][] {
  return Array.from({ length: Math.floor(forMs / periodMs) }, (_, at) => [
    (at + 1) * periodMs,
    change(at + 2),
  ])
}

describe('the cached list of a watch', () => {
  it.each([
    [10, 2_000],
    [500, 2_000],
    [5_000, 20_000],
    [15_000, MINUTE_MS],
    [50_000, MINUTE_MS],
  ])(
    'of %d endpoints that change continuously is written at once, and then every %d ms',
    async (size, periodMs) => {
      const forMs = 5 * MINUTE_MS
      const changes = churn(500, forMs)
      const writes = await written([[0, listOf(size)], ...changes], forMs + 500)
      const [first, ...later] = writes
      const last = later.pop()
      expect(first).toEqual({ atMs: 0, revision: 1, endpoints: size, seenAtMs: 0 })
      expect(last).toMatchObject({ atMs: forMs + 500, revision: changes.length + 1 })
      // A period begins with the first change that is not written: at most 500 ms after the last write.
      expect(later.length).toBeLessThanOrEqual(Math.floor(forMs / periodMs))
      expect(later.length).toBeGreaterThanOrEqual(Math.floor(forMs / (periodMs + 500)) - 1)
      let atMs = 0
      for (const write of later) {
        expect(write.atMs - atMs).toBeGreaterThanOrEqual(periodMs)
        expect(write.atMs - atMs).toBeLessThanOrEqual(periodMs + 500)
        // All that had changed by then.
        expect(write.revision).toBeGreaterThanOrEqual(Math.floor(write.atMs / 500))
        atMs = write.atMs
      }
    },
  )

  it('that does not change is written once a minute to keep its age correct', async () => {
    const writes = await written([[0, listOf(3)]], 3.5 * MINUTE_MS)
    expect(writes.map(({ seenAtMs }) => seenAtMs)).toEqual([0, 1, 2, 3, 3.5].map((each) => each * MINUTE_MS))
  })

  it('with changes is written after its period when etcd becomes unreachable, and not again at the end', async () => {
    const outage: [number, Update][] = [
      [1_000, change(2)],
      [1_500, STALE],
      [5_000, STALE],
    ]
    const writes = await written([[0, listOf(50_000)], ...outage], 10 * MINUTE_MS)
    expect(writes).toEqual([
      { atMs: 0, revision: 1, endpoints: 50_000, seenAtMs: 0 },
      { atMs: MINUTE_MS, revision: 2, endpoints: 50_000, seenAtMs: 1_500 },
    ])
  })

  it('that was written long before is written at once when etcd becomes unreachable, with the time of the outage', async () => {
    const writes = await written(
      [
        [0, listOf(3)],
        [30_000, STALE],
      ],
      10 * MINUTE_MS,
    )
    expect(writes.map(({ atMs, seenAtMs }) => [atMs, seenAtMs])).toEqual([
      [0, 0],
      [30_000, 30_000],
    ])
  })

  it.each([
    ['without changes', () => []],
    ['with a change each', (revision: number) => change(revision).changes],
  ])('is written once a minute while a link breaks every two seconds, %s', async (_, changesAt) => {
    const outages = Array.from({ length: 300 }, (_, at): [number, Update][] => [
      [at * 2_000 + 1_000, STALE],
      [
        at * 2_000 + 2_000,
        { type: 'resync', revision: at + 2, missedRevisions: null, changes: changesAt(at + 2) },
      ],
    ])
    const writes = await written([[0, listOf(50_000)], ...outages.flat()], 10 * MINUTE_MS + 500)
    // At the end once more where there are changes that are not written.
    expect(writes.length).toBeGreaterThanOrEqual(9)
    expect(writes.length).toBeLessThanOrEqual(12)
    for (const [at, { atMs }] of writes.slice(1, -1).entries())
      expect(atMs - (writes[at]?.atMs ?? 0)).toBeGreaterThanOrEqual(MINUTE_MS)
  })

  it('with an unwritten change is written once at the end', async () => {
    const back: Update = { type: 'resync', revision: 4, missedRevisions: null, changes: [] }
    const writes = await written(
      [
        [0, listOf(50_000)],
        [1_000, STALE],
        [2_000, back],
        [3_000, change(5)],
      ],
      4_000,
    )
    expect(writes.map(({ atMs, revision }) => [atMs, revision])).toEqual([
      [0, 1],
      [4_000, 5],
    ])
  })

  it('is not written if etcd never delivered a list', async () => {
    expect(await written([[0, STALE]], 5 * MINUTE_MS)).toEqual([])
  })
})

describe('the first list while etcd is unreachable from the start', () => {
  const own: CachedList = { revision: 5, endpoints: [endpoint({ weight: 1 })], seenAtMs: 0 }
  const auto = { revision: 9, endpoints: [endpoint({ weight: 2 })], seenAtMs: 3 * MINUTE_MS }

  /** Has one list of the watch's layout, and one that a reader of every layout wrote. */
  class TwoLists extends ListCache {
    constructor(private readonly lists: { readonly seed: CachedList; readonly auto: CachedList }) {
      super('/nowhere', () => {})
    }

    override async read({ layout }: typeof TARGET): Promise<CachedList> {
      return layout === 'auto' ? this.lists.auto : this.lists.seed
    }
  }

  it.each([
    ['the own one is too old', { seed: own, auto }, 9],
    ['both would do', { seed: { ...own, seenAtMs: 2.5 * MINUTE_MS }, auto }, 9],
    ['the own one is newer', { seed: { ...own, seenAtMs: 3.5 * MINUTE_MS }, auto }, 5],
  ])('is the newer of both that are cached: %s', async (_, lists, revision) => {
    vi.setSystemTime(3.75 * MINUTE_MS)
    async function* outage() {
      yield STALE
    }
    const updates: Update[] = []
    for await (const update of cachedWatch(
      outage(),
      new LiveSnapshot(),
      new TwoLists(lists),
      TARGET,
      MINUTE_MS * 2,
    ))
      updates.push(update)
    expect(updates).toMatchObject([{ type: 'reset', revision, source: 'cache' }, STALE])
  })
})
