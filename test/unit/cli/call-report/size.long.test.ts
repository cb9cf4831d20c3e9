import { expect, it } from 'vitest'
import { callDoc } from '../../../../src/cli/call/report-document.js'
import { renderJUnit } from '../../../../src/cli/call-report/junit.js'
import { renderPage } from '../../../../src/cli/call-report/page.js'
import { sampleHeap } from '../../../soak/heap.js'
import { endpoint } from '../../../support/endpoints.js'
import { recordedRun } from '../../../support/recorded-run.js'

const MAX_BYTES = 2_000_000
const FACTS = {
  service: 'hello',
  method: 'SayHello',
  command: 'disco call hello SayHello',
  version: '0.1.0',
  startedAt: new Date(0),
}

/** Histograms are array buffers, which the heap leaves out. */
function usedBytes(): number {
  const { heapBytes } = sampleHeap(0)
  return heapBytes + process.memoryUsage().arrayBuffers
}

it.each([
  [5, ''],
  [1_000, ''],
  [1_000, '<'.repeat(2_000)],
])(
  'ten minutes at 1,000 calls/s over %d endpoints stay under 2 MB and do not grow in memory',
  (count, suffix) => {
    const endpoints = Array.from({ length: count }, (_, at) =>
      endpoint({
        addr: `10.0.${at >> 8}.${at & 255}:8080`,
        version: `1.0.0${suffix}`,
        weight: 1 + (at % 5),
      }),
    )
    const perSecond = 1_000
    const calls = 600 * perSecond
    const held: number[] = []
    const report = recordedRun({
      endpoints,
      calls,
      perSecond,
      isJudged: false,
      details: `no connection ${suffix}`,
      before: (call, log, [first]) => {
        if (call % 1_000 === 0 && first) {
          log.rotated([{ endpoint: first, weight: 1 + ((call / 1_000) % 9), isAway: false }])
          log.dropped(first, `GOAWAY NO_ERROR ${suffix}`)
        }
        if (call % 150_000 === 0) held.push(usedBytes())
      },
    })
    const doc = callDoc(report)
    const outcome = {
      runs: [{ report, doc }],
      checkedBy: { isSingle: false, strict: false, replyProblem: null },
      failure: null,
      without: [],
    }
    expect(doc.calls).toBe(calls)
    expect(Buffer.byteLength(renderPage(FACTS, outcome))).toBeLessThan(MAX_BYTES)
    expect(Buffer.byteLength(renderJUnit(FACTS, outcome))).toBeLessThan(MAX_BYTES)
    // From a quarter of the time on, the octaves of all histograms are in use.
    const [early = 0, late = 0] = [held[0], held.at(-1)]
    expect(late - early).toBeLessThan(24 * 2 ** 20)
  },
  300_000,
)
