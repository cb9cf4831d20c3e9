import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Changes, Reset, Update } from '../../../src/domain/discovery.js'
import { DiscoError } from '../../../src/domain/errors.js'
import { apply, EMPTY_SNAPSHOT, endpointsOf } from '../../../src/domain/snapshot.js'
import { MAX_PENDING_CHANGES, subscribe } from '../../../src/registry/subscription.js'
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

/** What a subscriber gets that takes one update, sleeps until the source is at its end, and takes the rest. */
async function slowly(updates: readonly Update[]): Promise<Update[]> {
  const got: Update[] = []
  for await (const update of subscribe(() => source(updates), new AbortController().signal)) {
    got.push(update)
    if (got.length === 1) await turn()
  }
  return got
}

describe('a subscriber that is slow', () => {
  test('gets every update as long as they are few', async () => {
    const updates = [first, ...changes(2, MAX_PENDING_CHANGES)]
    expect(await slowly(updates)).toEqual(updates)
  })

  test('gets the newest list, and what comes after it, in place of too many changes', async () => {
    const updates = [first, ...changes(2, MAX_PENDING_CHANGES + 1), ...changes(2_000, 3)]
    const got = await slowly(updates)
    const upToNow = updates.slice(0, -3)
    const [reset, ...later] = got.slice(1)
    expect(reset).toMatchObject({
      type: 'reset',
      source: 'etcd',
      ageMs: 0,
      revision: MAX_PENDING_CHANGES + 2,
    })
    expect(reset?.type === 'reset' && reset.endpoints).toEqual(endpointsOf(apply(EMPTY_SNAPSHOT, ...upToNow)))
    expect(later).toEqual(updates.slice(-3))
  })

  test('never has more than the bound waiting, however many come', async () => {
    const got = await slowly([first, ...changes(2, 20 * MAX_PENDING_CHANGES)])
    expect(got.length).toBeLessThanOrEqual(MAX_PENDING_CHANGES + 1)
    expect(got.at(-1)).toMatchObject({ revision: 20 * MAX_PENDING_CHANGES + 1 })
  })

  test('hears that etcd is away also where the queue is full of outages', async () => {
    const back: Update = { type: 'resync', revision: 1, missedRevisions: null, changes: [] }
    const flapping = Array.from({ length: MAX_PENDING_CHANGES }, () => [STALE, back]).flat()
    const got = await slowly([first, ...flapping, STALE])
    expect(got.length).toBeLessThanOrEqual(MAX_PENDING_CHANGES + 1)
    expect(got.map(({ type }) => type)).toContain('reset')
    expect(got.at(-1)).toBe(STALE)
  })

  test('does not pass a list from the cache off as one from etcd', async () => {
    const cached: Reset = { ...first, source: 'cache', ageMs: 5_000 }
    const got = await slowly([STALE, cached, ...Array.from({ length: MAX_PENDING_CHANGES }, () => STALE)])
    expect(got.find(({ type }) => type === 'reset')).toEqual(cached)
  })
})

describe('a subscription', () => {
  test('gives one revision of any size whole to a subscriber that waits', async () => {
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

  test('throws what the source throws, after what came before', async () => {
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
