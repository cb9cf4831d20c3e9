import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Changes, Reset, Update } from '../../../src/domain/discovery.js'
import { DiscoError } from '../../../src/domain/errors.js'
import { apply, EMPTY_SNAPSHOT, endpointsOf } from '../../../src/domain/snapshot.js'
import { MAX_PENDING_CHANGES, type OpenWatch, SharedWatches } from '../../../src/registry/shared-watch.js'
import { endpoint } from '../../support/endpoints.js'

const CAUSE = new DiscoError('ETCD_UNREACHABLE', 'etcd is away')
const STALE: Update = { type: 'stale', sinceMs: 0, cause: CAUSE }
const first: Reset = {
  type: 'reset',
  revision: 1,
  endpoints: [endpoint({ addr: 'a:1' })],
  source: 'etcd',
  ageMs: 0,
}

/** Revision R gives one of seven keys weight R. */
function change(revision: number): Changes {
  const one = endpoint({ addr: `b:${revision % 7}`, weight: revision })
  return { type: 'changes', revision, changes: [{ type: 'put', key: one.key, endpoints: [one] }] }
}

function changes(from: number, count: number): Changes[] {
  return Array.from({ length: count }, (_, at) => change(from + at))
}

/** A source that has all of it at once, and then what `ends` does. */
async function* source(
  updates: readonly Update[],
  ends: () => Promise<void> = async () => {},
): AsyncGenerator<Update, void, void> {
  yield* updates
  await ends()
}

function until(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
}

function subscribe(open: OpenWatch, signal: AbortSignal) {
  return new SharedWatches(() => 0).subscribe('hello', open, signal)
}

/** What a subscriber gets that takes one update, sleeps until the source is at its end, and takes the rest. */
async function slowly(updates: readonly Update[]): Promise<Update[]> {
  const got: Update[] = []
  for await (const update of subscribe(() => source(updates), new AbortController().signal)) {
    got.push(update)
    if (got.length === 1) await turn()
  }
  return got
}

describe('a slow subscriber', () => {
  test('receives every update while few are pending', async () => {
    const updates = [first, ...changes(2, MAX_PENDING_CHANGES)]
    expect(await slowly(updates)).toEqual(updates)
  })

  test('receives the newest list instead of too many changes, then later updates', async () => {
    const many = [first, ...changes(2, MAX_PENDING_CHANGES + 1)]
    const later = changes(2_000, 3)
    const lastRead = new AbortController()
    const open = async function* () {
      yield* many
      await until(lastRead.signal)
      yield* later
    }
    const got: Update[] = []
    for await (const update of subscribe(open, new AbortController().signal)) {
      got.push(update)
      if (got.length === 1) await turn()
      if (update.type === 'reset' && got.length > 1) lastRead.abort()
    }
    const [reset, ...rest] = got.slice(1)
    const revision = MAX_PENDING_CHANGES + 2
    expect(reset).toMatchObject({ type: 'reset', source: 'etcd', ageMs: 0, revision })
    expect(reset?.type === 'reset' && reset.endpoints).toEqual(endpointsOf(apply(EMPTY_SNAPSHOT, ...many)))
    expect(rest).toEqual(later)
  })

  test('never has more pending updates than the limit', async () => {
    const got = await slowly([first, ...changes(2, 20 * MAX_PENDING_CHANGES)])
    expect(got.length).toBeLessThanOrEqual(MAX_PENDING_CHANGES + 1)
    expect(got.at(-1)).toMatchObject({ revision: 20 * MAX_PENDING_CHANGES + 1 })
  })

  test('receives the last outage of etcd even if the queue is full of outages', async () => {
    const back: Update = { type: 'resync', revision: 1, missedRevisions: null, changes: [] }
    const flapping = Array.from({ length: MAX_PENDING_CHANGES }, () => [STALE, back]).flat()
    const got = await slowly([first, ...flapping, STALE])
    expect(got.length).toBeLessThanOrEqual(MAX_PENDING_CHANGES + 1)
    expect(got.map(({ type }) => type)).toContain('reset')
    expect(got.at(-1)).toBe(STALE)
  })

  test('receives a cached list as a cached list', async () => {
    const cached: Reset = { ...first, source: 'cache', ageMs: 5_000 }
    const got = await slowly([STALE, cached, ...Array.from({ length: MAX_PENDING_CHANGES }, () => STALE)])
    expect(got.find(({ type }) => type === 'reset')).toEqual(cached)
  })
})

describe('a subscription', () => {
  test('delivers a revision of any size in one update to a waiting subscriber', async () => {
    const many = changes(2, 5 * MAX_PENDING_CHANGES).flatMap((update) => update.changes)
    const [head, ...rest] = many
    if (!head) throw new Error('no change')
    const large: Changes = { type: 'changes', revision: 2, changes: [head, ...rest] }
    const got: Update[] = []
    const stop = new AbortController()
    const waits = async function* (signal: AbortSignal) {
      yield first
      await turn()
      yield large
      await until(signal)
    }
    for await (const update of subscribe(waits, stop.signal)) {
      got.push(update)
      if (got.length === 2) stop.abort()
    }
    expect(got).toEqual([first, large])
  })

  test('throws the error of the source, after earlier updates', async () => {
    const failing = source([first, change(2)], () => Promise.reject(CAUSE))
    const got: Update[] = []
    const reading = (async () => {
      for await (const update of subscribe(() => failing, new AbortController().signal)) {
        got.push(update)
        await turn()
      }
    })()
    await expect(reading).rejects.toBe(CAUSE)
    expect(got).toEqual([first, change(2)])
  })

  test('throws the error if its source cannot be opened, instead of waiting', {
    timeout: 5_000,
  }, async () => {
    const open = () => {
      throw CAUSE
    }
    await expect(subscribe(open, new AbortController().signal).next()).rejects.toBe(CAUSE)
  })

  test('ends its source when the subscriber leaves', async () => {
    let ended: AbortSignal | undefined
    const open = (signal: AbortSignal) => {
      ended = signal
      return source([first], () => until(signal))
    }
    for await (const _ of subscribe(open, new AbortController().signal)) break
    expect(ended?.aborted).toBe(true)
  })
})

/** A source that a test feeds by hand. */
class FedSource {
  opened = 0
  isOpen = false
  private readonly queue: (Update | Error)[] = []
  private wake = () => {}

  readonly open = async function* (this: FedSource, signal: AbortSignal) {
    this.opened++
    this.isOpen = true
    signal.addEventListener('abort', () => this.wake(), { once: true })
    try {
      while (!signal.aborted) {
        const next = this.queue.shift()
        if (next instanceof Error) throw next
        if (next) yield next
        else
          await new Promise<void>((resolve) => {
            this.wake = resolve
          })
      }
    } finally {
      this.isOpen = false
    }
  }.bind(this)

  async feed(...updates: readonly (Update | Error)[]): Promise<void> {
    this.queue.push(...updates)
    this.wake()
    await turn()
  }
}

describe('subscribers to one key', () => {
  const shared = () => {
    const [watches, source] = [new SharedWatches(() => 0), new FedSource()]
    const join = (key = 'hello') => {
      const stop = new AbortController()
      return Object.assign(watches.subscribe(key, source.open, stop.signal), { stop: () => stop.abort() })
    }
    return { source, join }
  }

  test('share one source: the first opens it, the last closes it, and the next opens it again', async () => {
    const { source, join } = shared()
    const [a, b] = [join(), join()]
    const reads = [a.next(), b.next()]
    await source.feed(first)
    expect((await Promise.all(reads)).map(({ value }) => value)).toEqual([first, first])
    expect(source.opened).toBe(1)
    a.stop()
    await turn()
    expect(source.isOpen).toBe(true)
    expect((await a.next()).done).toBe(true)
    await b.return()
    await turn()
    expect(source.isOpen).toBe(false)
    void join().next()
    await turn()
    expect(source).toMatchObject({ opened: 2, isOpen: true })
  })

  test('that leave while the source opens, or while another one joins, end only their own source', async () => {
    const { watches, sources } = { watches: new SharedWatches(() => 0), sources: [] as FedSource[] }
    const join = () => {
      const open: OpenWatch = (signal) => {
        const source = new FedSource()
        sources.push(source)
        return source.open(signal)
      }
      const stop = new AbortController()
      return Object.assign(watches.subscribe('hello', open, stop.signal), { stop: () => stop.abort() })
    }
    const leaver = join()
    const opening = leaver.next()
    leaver.stop()
    const arriving = join()
    const reading = arriving.next()
    expect((await opening).done).toBe(true)
    await turn()
    expect(sources.map(({ isOpen }) => isOpen)).toEqual([false, true])
    await sources[1]?.feed(first)
    expect((await reading).value).toBe(first)
    expect((await join().next()).value).toEqual(first)
    expect(sources).toHaveLength(2)
  })

  test('that throw are removed, without effect on the others', async () => {
    const { source, join } = shared()
    const [throws, reads] = [join(), join()]
    const reading = reads.next()
    const throwing = (async () => {
      for await (const _ of throws) throw new Error('a bug of the caller')
    })()
    const failed = expect(throwing).rejects.toThrow('a bug of the caller')
    await source.feed(first, change(2))
    await failed
    expect([(await reading).value, (await reads.next()).value]).toEqual([first, change(2)])
    await reads.return()
    await turn()
    expect(source.isOpen).toBe(false)
  })

  test('do not share the source of another key', async () => {
    const { source, join } = shared()
    void join('hello').next()
    void join('other').next()
    await turn()
    expect(source.opened).toBe(2)
  })

  test('that join later receive the current list at once, then the updates of all', async () => {
    const { source, join } = shared()
    const [a, b] = [join(), join()]
    const reading = a.next()
    await source.feed(first, change(2))
    expect((await reading).value).toBe(first)
    const list = { ...first, revision: 2, endpoints: endpointsOf(apply(EMPTY_SNAPSHOT, first, change(2))) }
    expect((await b.next()).value).toEqual(list)
    await source.feed(change(3))
    expect([(await a.next()).value, (await a.next()).value]).toEqual([change(2), change(3)])
    expect((await b.next()).value).toEqual(change(3))
  })

  test('that join later receive an outage, and its end once', async () => {
    const { source, join } = shared()
    const [a, b] = [join(), join()]
    const reading = a.next()
    await source.feed(first, STALE)
    await reading
    expect([(await b.next()).value, (await b.next()).value]).toEqual([first, STALE])
    const back: Update = { type: 'resync', revision: 1, missedRevisions: null, changes: [] }
    await source.feed(back)
    expect((await b.next()).value).toBe(back)
    expect((await join().next()).value).toEqual(first)
  })

  test('that do not read do not delay the others, and catch up by one list', async () => {
    const { source, join } = shared()
    const [reads, sleeps] = [join(), join()]
    const opening = [reads.next(), sleeps.next()]
    await source.feed(first)
    await Promise.all(opening)
    const many = changes(2, 3 * MAX_PENDING_CHANGES)
    for (const update of many) {
      await source.feed(update)
      expect((await reads.next()).value).toBe(update)
    }
    expect((await sleeps.next()).value).toMatchObject({ type: 'reset', revision: many.length + 1 })
    await source.feed(change(9_999))
    expect((await sleeps.next()).value).toEqual(change(9_999))
  })

  test('all receive the error of the source, and the next subscriber opens it again', async () => {
    const { source, join } = shared()
    const [a, b] = [join(), join()]
    const reads = Promise.allSettled([a.next(), b.next()])
    await source.feed(CAUSE)
    const failed = { status: 'rejected', reason: CAUSE }
    expect(await reads).toEqual([failed, failed])
    void join().next()
    await turn()
    expect(source.opened).toBe(2)
  })
})
