import { describe, expect, it } from 'vitest'
import { ReplayEnd } from '../../../src/etcd/history-end.js'

interface Given {
  readonly revisions?: readonly number[]
  readonly header?: number
  readonly created?: boolean
}

/** A replay up to revision 5,000, whose last put is at 4,000. */
class Replayed {
  asked = 0
  private reached = 0
  private readonly end = new ReplayEnd({ revision: 5_000, lastPut: 4_000 }, () => this.asked++)

  /** Whether the response is the last one. */
  ends({ revisions = [], header = 5_000, created = false }: Given = {}): boolean {
    this.reached = revisions.at(-1) ?? this.reached
    const events = revisions.map((revision) => ({ kv: { mod_revision: String(revision) } }))
    const response = { events, created, header: { revision: String(header) } }
    return this.end.isReached(response as unknown as Parameters<ReplayEnd['isReached']>[0], this.reached)
  }
}

const full = Array.from({ length: 1_000 }, (_, at) => 3_001 + at)

describe('the end of a replay', () => {
  it('is an event at or after the last revision', () => {
    expect(new Replayed().ends({ revisions: [5_000] })).toBe(true)
    expect(new Replayed().ends({ revisions: [4_999, 5_001] })).toBe(true)
  })

  it('is a progress answer without events, requested after a response that was not full', () => {
    const replayed = new Replayed()
    expect(replayed.ends({ created: true })).toBe(false)
    expect(replayed.ends({ revisions: [10, 4_000] })).toBe(false)
    expect(replayed.asked).toBe(1)
    expect(replayed.ends()).toBe(true)
  })

  it('needs two such answers after a full response, because older etcd versions answer while more events follow', () => {
    const replayed = new Replayed()
    expect(replayed.ends({ revisions: full })).toBe(false)
    expect(replayed.asked).toBe(0)
    expect(replayed.ends()).toBe(false)
    expect(replayed.ends({ revisions: [4_500] })).toBe(false)
    expect(replayed.ends()).toBe(true)
  })

  it('needs two such answers if there was no event at all', () => {
    const replayed = new Replayed()
    expect(replayed.ends({ revisions: full })).toBe(false)
    expect(replayed.ends()).toBe(false)
    expect(replayed.ends()).toBe(true)
  })

  it('is not before the last existing put, whatever the number of such answers', () => {
    const replayed = new Replayed()
    for (const _ of full) expect(replayed.ends()).toBe(false)
  })

  it('is not reported by a member that has not reached the revision', () => {
    const replayed = new Replayed()
    expect(replayed.ends({ revisions: full })).toBe(false)
    for (const _ of full) expect(replayed.ends({ header: 4_999 })).toBe(false)
  })
})
