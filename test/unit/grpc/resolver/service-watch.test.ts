import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Discovery, Reset, Stale, Update } from '../../../../src/domain/discovery.js'
import { DiscoError } from '../../../../src/domain/errors.js'
import { type ServiceListener, ServiceWatches } from '../../../../src/grpc/resolver/service-watch.js'
import { endpoint } from '../../../support/endpoints.js'

const QUERY = { service: 'hello' }
const CAUSE = new DiscoError('ETCD_UNREACHABLE', 'etcd is away')
const STALE: Stale = { type: 'stale', sinceMs: 0, cause: CAUSE }
const LIST: Reset = { type: 'reset', revision: 1, endpoints: [endpoint()], source: 'etcd', ageMs: 0 }

/** Each watch yields what is next, and then fails or waits. */
class FakeDiscovery implements Discovery {
  readonly startedAtMs: number[] = []
  open = 0

  constructor(private readonly watches: (readonly Update[] | 'fails')[]) {}

  async *watch(_: unknown, signal: AbortSignal): AsyncGenerator<Update, void, void> {
    this.startedAtMs.push(Date.now())
    const updates = this.watches.shift() ?? 'fails'
    if (updates === 'fails') throw CAUSE
    this.open++
    try {
      yield* updates
      if (this.watches.length > 0) throw CAUSE
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    } finally {
      this.open--
    }
  }
}

/** Records its calls. */
class Recorder implements ServiceListener {
  readonly calls: string[] = []
  heard = ({ type }: Update) => void this.calls.push(`heard ${type}`)
  resolved = ({ revision, stale }: { revision: number; stale: unknown }) =>
    void this.calls.push(`resolved ${revision}${stale ? ' stale' : ''}`)
  failed = ({ message }: DiscoError) => void this.calls.push(`failed: ${message}`)
}

const settle = () => vi.advanceTimersByTimeAsync(0)

/** Errors that would end the process as uncaught exceptions. */
let uncaught: unknown[]

beforeEach(() => {
  vi.useFakeTimers({ now: 0, toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] })
  uncaught = []
  vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((callback) => {
    void Promise.resolve()
      .then(callback)
      .catch((error: unknown) => uncaught.push(error))
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('a failing watch', () => {
  it.each([
    ['at its shortest', 0, [0, 1_000, 3_000, 7_000, 15_000, 31_000, 51_000, 71_000, 91_000]],
    ['at its longest', 1, [0, 1_500, 4_500, 10_500, 22_500, 46_500, 76_500]],
  ])('starts again after a second, doubling to 30 s, jittered by half: %s', async (_, random, expected) => {
    const discovery = new FakeDiscovery([])
    const leave = new ServiceWatches(discovery, () => random).join(QUERY, new Recorder())
    await vi.advanceTimersByTimeAsync(100_000)
    expect(discovery.startedAtMs).toEqual(expected)
    leave()
    await vi.advanceTimersByTimeAsync(100_000)
    expect(discovery.startedAtMs).toHaveLength(expected.length)
  })

  it('doubles its delays even if a cached list precedes each failure', async () => {
    const cached: Reset = { ...LIST, source: 'cache' }
    const discovery = new FakeDiscovery(Array.from({ length: 9 }, () => [cached]))
    const leave = new ServiceWatches(discovery, () => 0).join(QUERY, new Recorder())
    await vi.advanceTimersByTimeAsync(10_000)
    expect(discovery.startedAtMs).toEqual([0, 1_000, 3_000, 7_000])
    leave()
  })

  it('restarts at once for a new listener, but at least a second after the failure', async () => {
    const discovery = new FakeDiscovery([])
    const watches = new ServiceWatches(discovery, () => 0)
    const leave = [watches.join(QUERY, new Recorder())]
    await vi.advanceTimersByTimeAsync(10_000)
    leave.push(watches.join(QUERY, new Recorder()))
    await vi.advanceTimersByTimeAsync(100)
    leave.push(watches.join(QUERY, new Recorder()))
    await vi.advanceTimersByTimeAsync(2_900)
    expect(discovery.startedAtMs).toEqual([0, 1_000, 3_000, 7_000, 10_000, 11_000])
    for (const each of leave) each()
  })

  it('does not restart if its last listener leaves on the failure', async () => {
    const discovery = new FakeDiscovery([])
    const leave = new ServiceWatches(discovery).join(QUERY, { resolved: () => {}, failed: () => leave() })
    await vi.advanceTimersByTimeAsync(100_000)
    expect(discovery.startedAtMs).toEqual([0])
  })

  it('restarts after a second if it had a list since its last failure', async () => {
    const discovery = new FakeDiscovery(['fails', 'fails', 'fails', [LIST], 'fails', [LIST]])
    const leave = new ServiceWatches(discovery, () => 0).join(QUERY, new Recorder())
    await vi.advanceTimersByTimeAsync(100_000)
    expect(discovery.startedAtMs).toEqual([0, 1_000, 3_000, 7_000, 8_000, 10_000])
    leave()
    await settle()
    expect(discovery.open).toBe(0)
  })
})

describe('a listener', () => {
  it('that joins during an outage receives the list and the outage, like the first listener', async () => {
    const watches = ServiceWatches.of(new FakeDiscovery([[LIST, STALE]]))
    const [early, late] = [new Recorder(), new Recorder()]
    const leave = [watches.join(QUERY, early)]
    await settle()
    expect(early.calls).toEqual(['heard reset', 'resolved 1', 'heard stale', 'resolved 1 stale'])
    leave.push(watches.join(QUERY, late))
    expect(late.calls).toEqual([])
    await settle()
    expect(late.calls).toEqual(['heard reset', 'heard stale', 'resolved 1 stale'])
    for (const each of leave) each()
  })

  it('that joins before the first list, and during an outage, receives the outage', async () => {
    const watches = ServiceWatches.of(new FakeDiscovery([[STALE]]))
    const [early, late] = [new Recorder(), new Recorder()]
    const leave = [watches.join(QUERY, early)]
    await settle()
    expect(early.calls).toEqual(['heard stale', 'failed: etcd is away', 'resolved 0 stale'])
    leave.push(watches.join(QUERY, late))
    await settle()
    expect(late.calls).toEqual(['heard stale', 'failed: etcd is away', 'resolved 0 stale'])
    for (const each of leave) each()
  })

  it('that joins later receives a cached list with its age at that time', async () => {
    const cached: Reset = { ...LIST, source: 'cache', ageMs: 5_000 }
    const watches = new ServiceWatches(new FakeDiscovery([[STALE, cached]]))
    const ages = (): ServiceListener & { ms: (number | null)[] } => {
      const ms: (number | null)[] = []
      const heard = (update: Update) => void (update.type === 'reset' && ms.push(update.ageMs))
      return { ms, heard, resolved: ({ cachedAgeMs }) => void ms.push(cachedAgeMs), failed: () => {} }
    }
    const [early, late] = [ages(), ages()]
    const leave = [watches.join(QUERY, early)]
    await settle()
    expect(early.ms).toEqual([null, 5_000, 5_000])
    await vi.advanceTimersByTimeAsync(60_000)
    leave.push(watches.join(QUERY, late))
    await settle()
    expect(late.ms).toEqual([65_000, 65_000])
    for (const each of leave) each()
  })

  it('that leaves before its first call is never called, and can join again as a new listener', async () => {
    const discovery = new FakeDiscovery([[LIST]])
    const watches = ServiceWatches.of(discovery)
    const [stays, leaves] = [new Recorder(), new Recorder()]
    const leave = [watches.join(QUERY, stays)]
    await settle()
    watches.join(QUERY, leaves)()
    await settle()
    expect(leaves.calls).toEqual([])
    leave.push(watches.join(QUERY, leaves))
    await settle()
    expect(leaves.calls).toEqual(['heard reset', 'resolved 1'])
    for (const each of leave) each()
    await settle()
    expect(discovery.open).toBe(0)
  })

  it('that throws does not affect the others, and its error is reported', async () => {
    const discovery = new FakeDiscovery([[LIST, STALE]])
    const watches = ServiceWatches.of(discovery)
    const bug = new Error('a bug of one channel')
    const fails = () => {
      throw bug
    }
    const other = new Recorder()
    const leave = [
      watches.join(QUERY, { heard: fails, resolved: fails, failed: fails }),
      watches.join(QUERY, other),
    ]
    await settle()
    expect(other.calls).toEqual(['heard reset', 'resolved 1', 'heard stale', 'resolved 1 stale'])
    expect(discovery).toMatchObject({ open: 1, startedAtMs: [0] })
    expect(new Set(uncaught)).toEqual(new Set([bug]))
    for (const each of leave) each()
  })
})
