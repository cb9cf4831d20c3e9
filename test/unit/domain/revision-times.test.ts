import { describe, expect, it, test } from 'vitest'
import {
  parseSamples,
  type RevisionSample,
  RevisionTimes,
  sampleLine,
} from '../../../src/domain/revision-times.js'

/** A sample that took 2 ms. */
function note(receivedMs: number, revision: number, raftTerm = 2): RevisionSample {
  return { revision, raftTerm, receivedMs, sentMs: receivedMs - 2 }
}

function bounds(revision: number, ...notes: RevisionSample[]): [number | null, number | null] {
  const { afterMs, beforeMs } = new RevisionTimes(notes).boundsOf(revision)
  return [afterMs, beforeMs]
}

describe('time bounds of a change', () => {
  const notes = [note(100, 10), note(200, 10), note(300, 20)]

  it.each([
    ['between two samples: after the request of the first, before the answer of the second', 15, [198, 300]],
    ['at the revision of a sample: before it', 20, [198, 300]],
    ['of a revision that was sampled twice: before the first', 10, [null, 100]],
    ['after the last sample', 21, [298, null]],
    ['before the first sample', 3, [null, 100]],
  ])('%s', (_, revision, expected) => {
    expect(bounds(revision, ...notes)).toEqual(expected)
  })

  it('are null without samples', () => {
    expect(bounds(1)).toEqual([null, null])
  })
})

describe('a clock that is set back', () => {
  it('leaves changes between the samples around the reset without bounds', () => {
    expect(bounds(15, note(1_000, 10), note(50, 20))).toEqual([null, null])
  })

  it('has no effect on changes between later samples', () => {
    expect(bounds(25, note(1_000, 10), note(50, 20), note(110, 30))).toEqual([48, 110])
    expect(bounds(5, note(1_000, 10), note(50, 20))).toEqual([null, 1_000])
  })

  it('never returns a start after the end', () => {
    const times = [100, 5_000, 160, 170, 20, 400]
    const notes = times.map((ms, at) => note(ms, 10 * (at + 1)))
    for (let revision = 1; revision < 70; revision++) {
      const [after, before] = bounds(revision, ...notes)
      if (after !== null && before !== null) expect(after).toBeLessThanOrEqual(before)
    }
  })
})

describe('other data under the same cluster id', () => {
  it('is detected by a lower revision: earlier samples are ignored', () => {
    expect(bounds(600, note(100, 400), note(200, 1_000), note(300, 500), note(400, 700))).toEqual([298, 400])
    expect(bounds(300, note(100, 400), note(200, 1_000), note(300, 500))).toEqual([null, 300])
  })

  it('is detected by a lower raft term', () => {
    expect(bounds(50, note(100, 60, 7), note(200, 100, 2))).toEqual([null, 200])
  })
})

describe('the last revision before a time', () => {
  const last = (ms: number, ...notes: RevisionSample[]) => new RevisionTimes(notes).lastBefore(ms)

  it('comes from the newest sample that is old enough', () => {
    expect(last(250, note(100, 10), note(200, 20), note(300, 30))).toBe(20)
  })

  it('is null if all samples are newer', () => {
    expect(last(99, note(100, 10))).toBeNull()
    expect(last(99)).toBeNull()
  })

  it('comes from an earlier sample if the clock was ahead in between', () => {
    expect(last(140, note(100, 5), note(1_000, 10), note(150, 20))).toBe(5)
  })
})

test('written samples are read back, and damaged lines are skipped', () => {
  const notes = [note(1_764_230_000_000, 7), note(1_764_230_060_000, 2 ** 53 - 1, 9)]
  const [first = '', second = ''] = notes.map(sampleLine)
  const torn = `${second.slice(0, 9)}${first}`
  const text = [
    first,
    'x',
    '',
    torn,
    '@1 2',
    '@5 1 0 1',
    '@5 1 99999999999999999 1',
    second,
    second.slice(0, 20),
  ]
  expect(parseSamples(text.join('\n'))).toEqual(notes)
})
