import { EndedCall } from '../../src/call/caller.js'
import { Recorder } from '../../src/call/recorder.js'
import { RunLog } from '../../src/call/run-log.js'
import { seeded } from '../../src/domain/rng.js'
import type { Outcome } from '../../src/grpc/invoker.js'
import type { Method } from '../../src/grpc/methods/method.js'
import type { RegisteredEndpoint } from '../../src/grpc/resolver/endpoint.js'
import { toGrpcEndpoints } from '../../src/grpc/resolver/selection.js'
import { sampleHeap } from '../soak/heap.js'
import { endpoint } from '../support/endpoints.js'

const CALLS = 10_000_000
const SAMPLES = 10
const ENDPOINTS = 50
/** A rotation that changes ten thousand times is one that flaps for days. */
const CALLS_PER_CHANGE = 1_000
const FAILURES = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'INTERNAL']

/** Histograms are array buffers, which the heap leaves out. */
function usedMb(): string {
  const { heapBytes } = sampleHeap(0)
  return ((heapBytes + process.memoryUsage().arrayBuffers) / 2 ** 20).toFixed(2)
}

function outcome(peer: string, status: string): Outcome {
  const statusCode = status === 'OK' ? 0 : FAILURES.indexOf(status) + 1
  const trailers = undefined as never
  return { status, statusCode, details: '', peer, replyCount: 1, replies: [], headers: null, trailers }
}

/** Ten million results go into what a run keeps, without a network: latencies over six decades, failures, changes. */
export async function run(): Promise<void> {
  const rng = seeded(7)
  const all: RegisteredEndpoint[] = toGrpcEndpoints(
    Array.from({ length: ENDPOINTS }, (_, at) => endpoint({ addr: `10.0.0.${at}:80`, weight: at + 1 })),
    { where: {}, spillOver: false },
  )
  const recorder = new Recorder()
  const log = new RunLog()
  log.begin(performance.now())
  console.log('| calls | memory after a collection | changes kept | strata kept |')
  console.log('|---|---|---|---|')
  for (let call = 1; call <= CALLS; call++) {
    if (call % CALLS_PER_CHANGE === 1) {
      const staying = all.filter(() => rng() < 0.9)
      const stays = new Set(staying)
      log.rotated(
        all.map((one) => {
          const weight = stays.has(one) ? 1 + Math.floor(rng() * 10) : 0
          return { endpoint: one, weight, isAway: false }
        }),
      )
    }
    const picked = all[Math.floor(rng() * ENDPOINTS)]
    if (!picked) throw new Error('no endpoint')
    log.picked(picked, call)
    const answered = log.takeEndpoint(call)
    const status = rng() < 0.99 ? 'OK' : (FAILURES[call % FAILURES.length] ?? '')
    const latencyMs = 10 ** (rng() * 6 - 2)
    recorder.record(
      new EndedCall(call, latencyMs, answered, outcome(picked.registration.addr, status), {} as Method),
    )
    if (call % (CALLS / SAMPLES) === 0) {
      const cells = [call, `${usedMb()} MB`, log.timeline.changes.length, log.attempts.strata().length]
      console.log(`| ${cells.join(' | ')} |`)
    }
  }
  const { n, p99 } = recorder.all.latency.summary()
  if (n !== CALLS || recorder.misrouted !== 0 || p99 === null) throw new Error('results were lost')
}
