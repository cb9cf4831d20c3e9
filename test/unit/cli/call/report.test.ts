import { describe, expect, it } from 'vitest'
import type { CallReport } from '../../../../src/call/report.js'
import { renderCallReport } from '../../../../src/cli/call/report.js'
import { callDoc, callLineDoc } from '../../../../src/cli/call/report-document.js'
import { LatencyHistogram } from '../../../../src/stats/latency.js'
import type { Verdict } from '../../../../src/stats/verdict.js'
import { endpoint } from '../../../support/endpoints.js'
import { colored, plain, plainOf, withoutColors } from '../../../support/palettes.js'

const heavy = endpoint({ addr: 'a:1', weight: 3 })
const light = endpoint({ addr: 'b:1', weight: 1 })
const latencies = (...ms: number[]) => LatencyHistogram.of(ms)
const call = {
  number: 1,
  endpoint: heavy,
  status: 'OK',
  statusCode: 0,
  details: '',
  latencyMs: 1.23456,
  isMisrouted: false,
  replies: 1,
  reply: { n: 1 },
  replyProblem: null,
  errorDetails: [],
  isComplete: true,
  complete: async () => undefined,
  headers: {},
  trailers: {},
}

const PASS: Verdict = {
  result: 'pass',
  test: 'max-gap',
  gap: 0,
  limit: 2,
  p: null,
  alternative: null,
  alternativeP: null,
  equalSplitP: 0.289,
  neededCalls: 7,
}

const REPORT: CallReport = {
  target: 'etcd:///hello',
  service: 'hello',
  method: 'helloworld.Greeter/SayHello',
  streamsReplies: false,
  revision: 1042,
  policy: 'weighted_round_robin',
  load: { calls: 8, durationMs: 1, concurrency: 1, perSecond: null },
  calls: 8,
  ok: 7,
  attempts: 8,
  interrupted: false,
  elapsedMs: 14,
  starts: {
    due: 8,
    started: 8,
    notStarted: 0,
    unfinished: 0,
    limit: 1,
    maxLateMs: 0,
    readerMs: 0,
    saturation: null,
  },
  stateCounts: {
    ready: 2,
    wanted: 3,
    registered: 4,
    drained: 1,
    refused: 1,
    connecting: 0,
    unusable: 0,
    elapsedMs: 38,
  },
  endpoints: [
    {
      endpoint: heavy,
      picks: 6,
      expected: 6,
      attempts: 6,
      errors: 0,
      failures: {},
      latency: latencies(1, 2, 3, 4, 5, 6).summary(),
      reconnects: {},
      note: null,
    },
    {
      endpoint: light,
      picks: 2,
      expected: 2,
      attempts: 2,
      errors: 1,
      failures: { UNAVAILABLE: 1 },
      latency: latencies(7).summary(),
      reconnects: {},
      note: null,
    },
  ],
  unserved: [{ addr: 'c:1', problem: 'connection\u001b refused', shareFraction: 0.0714285 }],
  latency: latencies(1, 2, 3, 4, 5, 6, 7).summary(),
  bands: latencies(1, 2, 3, 4, 5, 6, 7).bands(),
  versions: [],
  registries: [],
  failures: { UNAVAILABLE: 1 },
  misrouted: 0,
  changes: [],
  changesLeftOut: 0,
  reconnects: [],
  reconnectsLeftOut: 0,
  failovers: [],
  last: call,
  firstFailure: null,
  verdict: PASS,
  series: null,
}

function shown(changes: Partial<CallReport> = {}): string {
  return renderCallReport(callDoc({ ...REPORT, ...changes }), plain)
}

describe('a text report', () => {
  it('shows observed and expected calls, latencies, and the verdict', () => {
    expect(shown()).toBe(
      [
        'hello → helloworld.Greeter/SayHello   policy weighted_round_robin   2 of 4 ready, 1 drained, 1 refused in 38.0ms   rev 1042',
        '',
        'ENDPOINT  WEIGHT  CALLS  OBSERVED  EXPECTED                           p50  p95  p99    max  ERR',
        'a:1            3      6     75.0%     75.0%  ████████████████████|  3.0ms    –    –  6.0ms  0',
        'b:1            1      2     25.0%     25.0%  ███████|                   –    –    –  7.0ms  1 UNAVAILABLE',
        '',
        'PASS, but 7.1% of the weight is unserved: c:1 connection\\u001b refused.',
        '      Follows the weights: largest gap 0.00 call, 2 allowed (deterministic policy). 8 calls, 7 OK, 1 UNAVAILABLE in 14.0ms, p50 4.0ms, max 7.0ms.',
      ].join('\n'),
    )
  })

  it('shows FAIL with the gap', () => {
    expect(shown({ verdict: { ...PASS, result: 'fail', gap: 3.5 } })).toContain(
      'FAIL  strays from the expected shares: largest gap 3.50 calls, 2 allowed against 3:1',
    )
  })

  it('shows neither latencies nor a verdict without calls', () => {
    const text = shown({
      calls: 0,
      ok: 0,
      attempts: 0,
      endpoints: [],
      failures: {},
      latency: latencies().summary(),
    })
    expect(text).toContain('NONE  no call was made')
    expect(text).toContain('0 calls, 0 OK in 14.0ms, p50 –, max –.')
    expect(text).not.toMatch(/PASS|FAIL|NaN|Infinity/)
  })

  it('shows PASS only together with the number of due calls that were not started, and the saturated part', () => {
    const starts = {
      due: 80_000,
      started: 67_600,
      notStarted: 12_400,
      unfinished: 3,
      limit: 64,
      maxLateMs: 2_000,
      readerMs: 0,
    }
    const usage = { perSecond: 5_800, cpuFraction: 1.002, loopFraction: 1 }
    const client = shown({ unserved: [], starts: { ...starts, saturation: { by: 'client', ...usage } } })
    expect(client).toContain(
      'PASS, but 12,400 of 80,000 calls that were due were not started: the client itself was saturated at 5,800/s, 100% of a core.\n      Follows the weights: ',
    )
    expect(client).toContain('! 3 calls under way did not end in time and are not counted')
    const crowded = { by: 'client', ...usage, cpuFraction: 0.5 } as const
    expect(shown({ unserved: [], starts: { ...starts, notStarted: 0, saturation: crowded } })).toContain(
      'PASS, but calls were started up to 2.0s late: the client itself was saturated at 5,800/s, 50% of a core, which is all that the machine could give.',
    )
    const unread = { by: 'reader', ...usage, cpuFraction: 0.1 } as const
    expect(shown({ unserved: [], starts: { ...starts, saturation: unread } })).toContain(
      'PASS, but 12,400 of 80,000 calls that were due were not started: the reader of the output was slow, and calls went on at 5,800/s.',
    )
    const backends = { by: 'backends', ...usage, cpuFraction: 0.4 } as const
    const failed = shown({
      unserved: [],
      starts: { ...starts, saturation: backends },
      verdict: { ...PASS, result: 'fail', gap: 3.5 },
    })
    expect(failed).toMatch(/^FAIL {2}strays/m)
    expect(failed).toMatch(
      /^! 12,400 of 80,000 .*: the backends were saturated at 5,800\/s, with the client at 40% of a core and 64 calls/m,
    )
  })

  it('shows that it was interrupted', () => {
    expect(shown({ interrupted: true })).toContain('in 14.0ms (interrupted)')
  })

  it('marks the expected share in the bar, whether it is below or above the observed share', () => {
    const [first, second] = REPORT.endpoints
    if (!first || !second) throw new Error('unreachable')
    const bars = shown({
      endpoints: [
        { ...first, picks: 8, expected: 4 },
        { ...second, picks: 0, expected: 4 },
      ],
    })
    expect(bars).toContain(`50.0%  ${'█'.repeat(10)}|${'█'.repeat(9)} `)
    expect(bars).toContain(`50.0%  ${' '.repeat(10)}|`)
  })

  it('has the same text with colors', () => {
    const painted = renderCallReport(callDoc(REPORT), colored)
    expect(painted).toContain(colored.bold.green('PASS'))
    const words = (text: string) => text.split('\n').map((line) => line.trimEnd())
    expect(words(withoutColors(painted))).toEqual(words(shown()))
  })
})

describe('a report as JSON', () => {
  it('has revisions as text and milliseconds to the microsecond', () => {
    const doc = callDoc(REPORT)
    expect(doc).toMatchObject({
      schema: 'disco.call/v1',
      rev: '1042',
      calls: 8,
      ok: 7,
      interrupted: false,
      reply: null,
      unserved: [{ addr: 'c:1', share: 0.0714, problem: 'connection\u001b refused' }],
      verdict: {
        result: 'pass',
        test: 'max-gap',
        gap: 0,
        limit: 2,
        p: null,
        alternative: null,
        alternativeP: null,
      },
    })
    expect(doc.endpoints[1]).toEqual({
      key: light.key,
      addr: 'b:1',
      version: '1.0.0',
      weight: 1,
      picks: 2,
      expected: 2,
      errors: 1,
      attempts: 2,
      failures: { UNAVAILABLE: 1 },
      reconnects: 0,
      reconnectReasons: {},
      note: null,
      latencyMs: { n: 1, p50: null, p95: null, p99: null, max: 7 },
    })
  })

  it('reports calls to an address other than the picked one', () => {
    expect(shown()).not.toContain('another address')
    expect(shown({ misrouted: 2 })).toContain('2 calls went to an address other than the picked one')
  })

  it('omits bars, and then a column, on a terminal that is too narrow for them', () => {
    const at = (width: number) => renderCallReport(callDoc(REPORT), plainOf(width))
    const whole = shown()
    expect(at(120)).toBe(whole)
    const [wide, middle, narrow] = [120, 85, 70].map((width) => at(width).split('\n')[2] ?? '')
    expect(wide).toMatch(/EXPECTED {10,}p50 +p95 +p99/)
    expect(middle).toMatch(/EXPECTED {1,9}p50 +p95 +p99/)
    expect(narrow).toMatch(/EXPECTED {1,9}p50 +p99/)
    expect(at(85)).not.toContain('█')
  })

  it('has a column for reconnects with their reasons, and a column for notes, only if there are any', () => {
    const [first, second] = REPORT.endpoints
    if (!first || !second) throw new Error('there are two')
    const reconnect = { endpoint: heavy, atCall: 3, atMs: 4, reason: 'GOAWAY NO_ERROR', downMs: 2 }
    const text = shown({
      endpoints: [
        { ...first, reconnects: { 'GOAWAY NO_ERROR': 2, 'connection reset': 1 } },
        { ...second, note: 'connection\u001b refused' },
      ],
      reconnects: [reconnect, { ...reconnect, downMs: null }],
      reconnectsLeftOut: 7,
    })
    expect(text).toMatch(/ERR +RECONNECTS +NOTE$/m)
    expect(text).toMatch(/a:1 .* 2 GOAWAY NO_ERROR, 1 connection reset$/m)
    expect(text).toMatch(/b:1 .* connection\\u001b refused$/m)
    expect(text).toContain('↻ a:1 reconnected at call 3 (4.0ms): GOAWAY NO_ERROR; READY again after 2.0ms')
    expect(text).toContain('GOAWAY NO_ERROR; not READY again\n… 7 more changes')
    expect(shown()).not.toMatch(/RECONNECTS|NOTE/)
  })

  it('counts the changes that are not shown', () => {
    const change = { type: 'weight', endpoint: heavy, from: 1, to: 2, atCall: 3, atMs: 4 } as const
    const changes = Array.from({ length: 25 }, () => change)
    expect(shown({ changes })).toContain('… 5 more changes, see --json')
    expect(shown({ changes, changesLeftOut: 70 })).toContain('… 75 more changes')
  })

  it('contains the reply of a single call, but not of several calls', () => {
    expect(callDoc({ ...REPORT, calls: 1 }).reply).toEqual({ n: 1 })
    expect(callDoc({ ...REPORT, calls: 1, last: null }).reply).toBeNull()
  })

  it('has a line per call, also for a call that failed before a pick', () => {
    expect(callLineDoc(call, false)).toEqual({
      schema: 'disco.call-line/v1',
      n: 1,
      addr: 'a:1',
      status: 'OK',
      details: '',
      latencyMs: 1.235,
      errorDetails: [],
      reply: { n: 1 },
      headers: null,
      trailers: null,
    })
    const cut = callLineDoc({ ...call, endpoint: null, trailers: { 'x-a': ['1'] } }, true)
    expect(cut).toMatchObject({ addr: null, headers: {}, trailers: { 'x-a': ['1'] } })
  })
})
