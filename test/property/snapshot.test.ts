import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Change, Update } from '../../src/domain/discovery.js'
import { type Endpoint, type EndpointProblem, endpointId } from '../../src/domain/endpoint.js'
import { DiscoError } from '../../src/domain/errors.js'
import { type EndpointEvent, eventsBetween } from '../../src/domain/events.js'
import { apply, EMPTY_SNAPSHOT, endpointsOf, type Snapshot } from '../../src/domain/snapshot.js'
import { rounds } from '../support/effort.js'
import { endpoint, NOT_JSON } from '../support/endpoints.js'

const keys = ['/k1', '/k2', '/k3', '/k4']

interface Content {
  readonly key: string
  readonly addrs: readonly string[]
  readonly weight: number
  readonly version: string
  readonly lease: string | null
  readonly problem: EndpointProblem | null
}

const content: fc.Arbitrary<Content> = fc.record({
  key: fc.constantFrom(...keys),
  addrs: fc.uniqueArray(fc.constantFrom('a:1', 'b:1', 'c:1'), { minLength: 1 }),
  weight: fc.nat({ max: 3 }),
  version: fc.constantFrom('1', '2'),
  lease: fc.constantFrom('0000000000000007', null),
  problem: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, fc.constant(NOT_JSON)),
})

/** Possible changes in one revision of etcd: each key is put or deleted at most once. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .uniqueArray(fc.oneof(content, fc.record({ key: fc.constantFrom(...keys), gone: fc.constant(true) })), {
        selector: ({ key }) => key,
        minLength: 1,
      })
      .map((changes) => ({ type: 'changes' as const, changes })),
  },
  {
    weight: 1,
    arbitrary: fc
      .uniqueArray(content, { selector: ({ key }) => key })
      .map((contents) => ({ type: 'reset' as const, contents })),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'stale' as const }) },
)

type Step = typeof step extends fc.Arbitrary<infer Made> ? Made : never

function endpointsAt(revision: number, { addrs, ...fields }: Content): Endpoint[] {
  return addrs.map((addr) => endpoint({ ...fields, addr, modRevision: revision }))
}

function updateOf(step: Step, revision: number): Update {
  if (step.type === 'stale') {
    return { type: 'stale', sinceMs: revision, cause: new DiscoError('ETCD_UNREACHABLE', 'away') }
  }
  if (step.type === 'reset') {
    return {
      type: 'reset',
      revision,
      source: 'etcd',
      ageMs: 0,
      endpoints: step.contents.flatMap((each) => endpointsAt(revision, each)),
    }
  }
  const [first, ...rest] = step.changes.map((change): Change => {
    if ('gone' in change) return { type: 'delete', key: change.key }
    return { type: 'put', key: change.key, endpoints: endpointsAt(revision, change) }
  })
  if (!first) throw new Error('a revision without a change')
  return { type: 'changes', revision, changes: [first, ...rest] }
}

const byId = (endpoints: Iterable<Endpoint>) =>
  new Map([...endpoints].map((each) => [endpointId(each), each] as const))

/** Applies events to a snapshot, and fails if an event cannot apply. */
function follow(before: Snapshot, events: readonly EndpointEvent[]): Map<string, Endpoint> {
  const known = byId(endpointsOf(before))
  for (const event of events) {
    const id = endpointId(event.endpoint)
    expect(known.has(id)).toBe(event.type !== 'added')
    if (event.type === 'weight') {
      expect(known.get(id)?.weight).toBe(event.from)
      expect(event.endpoint.weight).toBe(event.to)
      expect({ ...event.endpoint, weight: event.from, modRevision: 0 }).toEqual({
        ...known.get(id),
        modRevision: 0,
      })
    }
    if (event.type === 'updated') expect(known.get(id)).toEqual(event.before)
    if (event.type === 'gone') known.delete(id)
    else known.set(id, event.endpoint)
  }
  return known
}

it('the events between two snapshots lead from one to the other, after any updates between them', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.nat({ max: 11 }), (steps, from) => {
      const snapshots = [EMPTY_SNAPSHOT]
      for (const [at, each] of steps.entries()) {
        const before = snapshots[at] ?? EMPTY_SNAPSHOT
        const update = updateOf(each, at + 1)
        const after = apply(before, update)
        snapshots.push(after)
        const changedKeys = update.type === 'changes' ? update.changes.map(({ key }) => key) : undefined
        const events = eventsBetween(before, after, changedKeys)
        expect(follow(before, events)).toEqual(byId(endpointsOf(after)))
        expect(events.length).toBe(new Set(events.map((event) => endpointId(event.endpoint))).size)
        // A stale update changes nothing. The events of a key are the same whether or not only changed keys are
        // compared.
        if (update.type === 'stale') expect(after).toBe(before)
        expect(new Set(eventsBetween(before, after))).toEqual(new Set(events))
      }
      const earlier = snapshots[Math.min(from, steps.length - 1)] ?? EMPTY_SNAPSHOT
      const last = snapshots.at(-1) ?? EMPTY_SNAPSHOT
      expect(follow(earlier, eventsBetween(earlier, last))).toEqual(byId(endpointsOf(last)))
      expect(eventsBetween(last, last)).toEqual([])
    }),
    { numRuns: rounds({ quick: 200, long: 1_000 }) },
  )
})
