import { callDoc } from '../../src/cli/call/report-document.js'
import { renderJUnit } from '../../src/cli/call-report/junit.js'
import { renderPage } from '../../src/cli/call-report/page.js'
import { sampleHeap } from '../soak/heap.js'
import { endpoint } from '../support/endpoints.js'
import { recordedRun } from '../support/recorded-run.js'

const PER_SECOND = 1_000
const MINUTES = 10

/** Histograms are array buffers, which the heap leaves out. */
function usedBytes(): number {
  const { heapBytes } = sampleHeap(0)
  return heapBytes + process.memoryUsage().arrayBuffers
}

/** The size of a report after ten minutes at 1,000 calls/s, and what the recorder holds, on a clock of its own. */
export async function run(): Promise<void> {
  console.log('| endpoints | calls | memory of the run | page | JUnit |')
  console.log('|---|---|---|---|---|')
  for (const count of [5, 100, 1_000, 10_000]) {
    const endpoints = Array.from({ length: count }, (_, at) =>
      endpoint({ addr: `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}:8080`, weight: 1 + (at % 5) }),
    )
    const before = usedBytes()
    let held = 0
    const calls = MINUTES * 60 * PER_SECOND
    const report = recordedRun({
      endpoints,
      calls,
      perSecond: PER_SECOND,
      isJudged: false,
      before: (call, log, all) => {
        const [first] = all
        // An operator who changes a weight every second, and an endpoint that reconnects.
        if (call % PER_SECOND === 0 && first) {
          const weight = 1 + ((call / PER_SECOND) % 9)
          log.rotated([{ endpoint: first, weight, isAway: false }])
          log.dropped(first, 'GOAWAY NO_ERROR')
        }
        if (call === calls) held = usedBytes() - before
      },
    })
    const facts = {
      service: 'hello',
      method: 'SayHello',
      command: 'disco call hello SayHello',
      version: '0',
      startedAt: new Date(0),
    }
    const checkedBy = { isSingle: false, strict: false, replyProblem: null }
    const outcome = { runs: [{ report, doc: callDoc(report) }], checkedBy, failure: null, without: [] }
    const [page, junit] = [renderPage(facts, outcome), renderJUnit(facts, outcome)]
    const kb = (bytes: number) => `${Math.round(bytes / 1_000)} KB`
    const cells = [count, report.calls, `${(held / 2 ** 20).toFixed(1)} MB`]
    console.log(`| ${[...cells, kb(Buffer.byteLength(page)), kb(Buffer.byteLength(junit))].join(' | ')} |`)
  }
}
