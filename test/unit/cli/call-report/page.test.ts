import { describe, expect, it } from 'vitest'
import type { CallReport } from '../../../../src/call/report.js'
import { callDoc } from '../../../../src/cli/call/report-document.js'
import type { CallOutcome, RunFacts } from '../../../../src/cli/call-report/call-file.js'
import { renderPage } from '../../../../src/cli/call-report/page.js'
import { DiscoError } from '../../../../src/domain/errors.js'
import { endpoint } from '../../../support/endpoints.js'
import { recordedRun } from '../../../support/recorded-run.js'

const FACTS: RunFacts = {
  service: 'hello',
  method: 'SayHello',
  command: 'disco call hello SayHello --n 100',
  version: '0.1.0',
  startedAt: new Date('2026-11-27T07:00:00Z'),
}

const HOSTILE = `<script>alert(1)</script>"'\`&<img src=x onerror=alert(1)>\u0000\u001b[31m\u202e\u2066\u200b\ud800\ufffe]]>`

const outcomeOf = (...reports: CallReport[]): CallOutcome => ({
  runs: reports.map((report) => ({ report, doc: callDoc(report) })),
  checkedBy: { isSingle: false, strict: false, replyProblem: null },
  failure: null,
  without: [],
})

const several = (count: number) =>
  Array.from({ length: count }, (_, at) =>
    endpoint({ addr: `10.0.${Math.floor(at / 250)}.${at % 250}:80`, weight: 1 + (at % 5) }),
  )

describe('the report page of a run', () => {
  it('contains nothing that a browser would fetch or run', () => {
    const page = renderPage(
      FACTS,
      outcomeOf(recordedRun({ endpoints: several(3), calls: 500, perSecond: 100 })),
    )
    expect(page).toMatch(
      /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-/,
    )
    expect(page).not.toMatch(/<script|<link|<img|<iframe|<object|@import|url\(|src=|href=|style="|\son\w+=/i)
  })

  it('shows hostile text from the registry and from servers as text, without control characters', () => {
    const report = recordedRun({
      endpoints: [endpoint({ addr: HOSTILE, version: HOSTILE }), endpoint({ addr: 'a:1' })],
      calls: 500,
      perSecond: 100,
      failing: 0.1,
      details: HOSTILE,
      before: (call, log, [first]) => {
        if (call === 250 && first) log.dropped(first, HOSTILE)
        if (call === 300 && first) log.rotated([{ endpoint: first, weight: 3, isAway: false }])
      },
    })
    const unserved = [{ addr: HOSTILE, problem: HOSTILE, shareFraction: 0.1 }]
    const hostile: RunFacts = {
      ...FACTS,
      service: HOSTILE,
      method: HOSTILE,
      command: HOSTILE,
      version: HOSTILE,
    }
    const failure = new DiscoError('RPC_FAILED', HOSTILE, { suggestions: [HOSTILE] })
    const page = renderPage(hostile, { ...outcomeOf({ ...report, unserved, target: 'etcd:///a' }), failure })
    expect(page.match(/&lt;script&gt;/g)?.length).toBeGreaterThan(10)
    expect(page).not.toMatch(
      /<script|<img|[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufffe]/,
    )
    // No half of a character.
    expect(Buffer.from(page).toString()).toBe(page)
    expect(page).toContain('\\u202e')
  })

  it('shows the numbers of the JSON document', () => {
    const report = recordedRun({ endpoints: several(4), calls: 2_000, perSecond: 100, failing: 0.05 })
    const [{ doc }] = outcomeOf(report).runs as [CallOutcome['runs'][number]]
    const page = renderPage(FACTS, outcomeOf(report))
    const rows = [
      ...(/<table class="endpoints">.*?<\/table>/s.exec(page)?.[0] ?? '').matchAll(/<tr>.*?<\/tr>/gs),
    ]
    const numbers = rows
      .slice(1)
      .map(([row]) => [...row.matchAll(/<data value="([^"]*)">/g)].map(([, value]) => Number(value)))
    const part = (calls: number) => Math.round((calls / doc.calls) * 1e6) / 1e6
    expect(numbers).toEqual(
      doc.endpoints.map(({ weight, picks, expected, latencyMs, errors }) => [
        weight,
        picks,
        expected,
        part(picks),
        part(expected),
        ...[latencyMs.p50, latencyMs.p95, latencyMs.p99, latencyMs.max].filter((ms) => ms !== null),
        errors,
      ]),
    )
    const figure = (name: string) =>
      Number(new RegExp(`<div class="${name}"><dd><data value="([^"]*)">`).exec(page)?.[1])
    const { calls, ok, perSecond, elapsedMs, latencyMs } = doc
    expect(figure('calls')).toBe(calls)
    expect(figure('ok')).toBe(ok)
    expect(figure('errors')).toBe(calls - ok)
    expect([figure('perSecond'), figure('elapsedMs')]).toEqual([perSecond, elapsedMs])
    for (const of of ['p50', 'p95', 'p99', 'max'] as const) expect(figure(of)).toBe(latencyMs[of])
  })

  it('shows how many endpoints are drawn together', () => {
    const page = renderPage(
      FACTS,
      outcomeOf(recordedRun({ endpoints: several(300), calls: 3_000, perSecond: 1_000 })),
    )
    expect(page).toContain('The 12 endpoints with the most expected calls, and the others together.')
    expect(page).toContain('288 other endpoints together')
    expect(page).toContain('294 others together')
  })

  it('shows the error of a command that made no call', () => {
    const failure = new DiscoError('RPC_FAILED', 'hello has no endpoint that is READY after 5.0s', {
      suggestions: ['127.0.0.1:1001 connection refused'],
    })
    const page = renderPage(FACTS, { ...outcomeOf(), failure })
    expect(page).toContain('hello has no endpoint that is READY after 5.0s')
    expect(page).toContain('127.0.0.1:1001 connection refused')
    expect(page).toContain('exit code 7')
  })

  it('has a section for each compared policy', () => {
    const run = recordedRun({ endpoints: several(2), calls: 100, perSecond: 100 })
    const page = renderPage(FACTS, outcomeOf({ ...run, policy: 'round_robin' }, { ...run, policy: 'random' }))
    expect(page).toContain('Policy round_robin')
    expect(page).toContain('Policy random')
    expect(page.match(/<article>/g)).toHaveLength(2)
  })

  it('omits numbers that are undefined for runs with at most one call', () => {
    for (const calls of [0, 1]) {
      const report = recordedRun({ endpoints: several(2), calls, perSecond: 1_000 })
      const page = renderPage(FACTS, outcomeOf(report))
      expect(page.replaceAll('disco', '')).not.toMatch(/NaN|Infinity|undefined|null/)
    }
  })
})
