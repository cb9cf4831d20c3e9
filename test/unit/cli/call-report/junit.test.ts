import { DOMParser, onErrorStopParsing } from '@xmldom/xmldom'
import { describe, expect, it } from 'vitest'
import type { CallReport } from '../../../../src/call/report.js'
import { measuresOf } from '../../../../src/call/report.js'
import { exitOfCalls } from '../../../../src/cli/call/exit.js'
import { callDoc } from '../../../../src/cli/call/report-document.js'
import type { CallOutcome } from '../../../../src/cli/call-report/call-file.js'
import { renderJUnit } from '../../../../src/cli/call-report/junit.js'
import { DiscoError } from '../../../../src/domain/errors.js'
import { assess, parseAssertions } from '../../../../src/stats/assertion.js'
import { endpoint } from '../../../support/endpoints.js'
import { recordedRun } from '../../../support/recorded-run.js'

const FACTS = {
  service: 'hello',
  method: 'SayHello',
  command: 'disco call hello SayHello',
  version: '0.1.0',
  startedAt: new Date('2026-11-27T07:00:00Z'),
}

/** Everything that XML forbids or gives a meaning to. */
const HOSTILE = `<a>&"']]><!--\u0000\u0008\u000b\u001f\u007f\u0085\u202e\ud800\udc00\ud800\ufffe\uffff`

const ENDPOINTS = [endpoint({ addr: 'a:1', weight: 3 }), endpoint({ addr: 'b:1', weight: 1 })]

function parsed(xml: string) {
  expect(xml).not.toMatch(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u)
  const document = new DOMParser({ onError: onErrorStopParsing }).parseFromString(xml, 'application/xml')
  const all = (name: string) => [...document.getElementsByTagName(name)]
  const cases = all('testcase').map((testcase) => ({
    name: testcase.getAttribute('name'),
    result:
      ['failure', 'error', 'skipped'].find((name) => testcase.getElementsByTagName(name).length > 0) ??
      'passed',
    message: ['failure', 'error', 'skipped']
      .flatMap((name) => [...testcase.getElementsByTagName(name)])
      .map((element) => element.getAttribute('message'))
      .join(''),
  }))
  return { all, cases }
}

function outcome(
  report: CallReport,
  options: Partial<CallOutcome['checkedBy']> & { assert?: string } = {},
): CallOutcome {
  const { assert, ...checkedBy } = options
  const assertions =
    assert === undefined ? [] : assess(parseAssertions(assert, '--assert'), measuresOf(report))
  return {
    runs: [{ report, doc: callDoc(report, assertions) }],
    checkedBy: { isSingle: false, strict: false, replyProblem: null, ...checkedBy },
    failure: null,
    without: [],
  }
}

describe('JUnit', () => {
  it('has a test case for each check, with the reason if the check failed', () => {
    const report = recordedRun({ endpoints: ENDPOINTS, calls: 400, perSecond: 100, failing: 0.1 })
    const unserved = [{ addr: 'c:1', problem: 'connection refused', shareFraction: 0.2 }]
    const { all, cases } = parsed(
      renderJUnit(
        FACTS,
        outcome({ ...report, unserved }, { assert: 'p99<1ms,max<1h'.replace('1h', '60m'), strict: true }),
      ),
    )
    expect(cases.map(({ name, result }) => [name, result])).toEqual([
      ['calls', 'failure'],
      ['p99<1ms', 'failure'],
      ['max<60m', 'passed'],
      ['verdict', 'passed'],
      ['weight served', 'failure'],
    ])
    expect(cases[0]?.message).toMatch(
      /^\d+ of 400 calls failed: \d+ UNAVAILABLE; first: UNAVAILABLE: no connection$/,
    )
    expect(cases[1]?.message).toMatch(/^it is \d+ms$/)
    expect(cases[4]?.message).toBe('20.0% of the weight is unserved: c:1 connection refused')
    const [suite] = all('testsuite')
    const attributes = ['tests', 'failures', 'errors', 'skipped', 'time', 'timestamp']
    expect(attributes.map((name) => suite?.getAttribute(name))).toEqual([
      '5',
      '3',
      '0',
      '0',
      '4.000',
      '2026-11-27T07:00:00',
    ])
    const properties = Object.fromEntries(
      all('property').map((property) => [property.getAttribute('name'), property.getAttribute('value')]),
    )
    expect(properties).toMatchObject({
      command: FACTS.command,
      policy: 'weighted_random',
      calls: '400',
      revision: '7',
    })
  })

  it('remains valid XML if texts contain characters that XML forbids', () => {
    const hostile = { ...FACTS, service: HOSTILE, method: HOSTILE, command: HOSTILE, version: HOSTILE }
    const report = recordedRun({
      endpoints: [endpoint({ addr: HOSTILE }), ...ENDPOINTS],
      calls: 100,
      perSecond: 100,
      failing: 0.5,
      details: HOSTILE,
    })
    const failure = new DiscoError('RPC_FAILED', HOSTILE, { suggestions: [HOSTILE] })
    const { cases, all } = parsed(renderJUnit(hostile, { ...outcome(report), failure }))
    expect(cases[0]?.message).toContain(`<a>&"']]><!--\\u0000\\u0008\\u000b\\u001f`)
    expect(all('script')).toEqual([])
  })

  it('has an error if no call could be made, or if the run was interrupted', () => {
    const report = recordedRun({ endpoints: ENDPOINTS, calls: 40, perSecond: 100, failing: 0 })
    const failure = new DiscoError('RPC_FAILED', 'hello has no endpoint that is READY after 5.0s')
    const none = parsed(renderJUnit(FACTS, { ...outcome(report), runs: [], failure }))
    expect(none.cases).toEqual([
      { name: 'run', result: 'error', message: 'RPC_FAILED: hello has no endpoint that is READY after 5.0s' },
    ])
    const cut = parsed(renderJUnit(FACTS, outcome({ ...report, interrupted: true })))
    expect(cut.cases[0]).toEqual({ name: 'run', result: 'error', message: 'interrupted after 40 calls' })
  })

  it('fails exactly if the exit code is not 0', () => {
    let failed = 0
    let all = 0
    const report = recordedRun({ endpoints: ENDPOINTS, calls: 400, perSecond: 100, failing: 0 })
    const failing = recordedRun({ endpoints: ENDPOINTS, calls: 400, perSecond: 100, failing: 0.1 })
    const few = recordedRun({ endpoints: ENDPOINTS, calls: 3, perSecond: 100, failing: 0 })
    const one = recordedRun({ endpoints: ENDPOINTS, calls: 1, perSecond: 100, failing: 0 })
    const oneFailed = recordedRun({ endpoints: ENDPOINTS, calls: 1, perSecond: 100, failing: 1 })
    const none = recordedRun({ endpoints: ENDPOINTS, calls: 0, perSecond: 100 })
    const unserved = [{ addr: 'c:1', problem: 'connection refused', shareFraction: 0.2 }]
    const runs = [report, failing, few, one, oneFailed, none]
    const last = { statusCode: 14 } as CallReport['last']
    const variants = runs.flatMap((run): CallReport[] => [
      run,
      { ...run, unserved },
      { ...run, interrupted: true },
      { ...run, starts: { ...run.starts, due: run.calls + 3, notStarted: 3 } },
      { ...run, verdict: { ...run.verdict, result: 'fail', gap: 9 } },
      { ...run, verdict: { ...run.verdict, result: 'not-judged' } },
    ])
    for (const run of variants) {
      for (const strict of [false, true]) {
        for (const assert of [undefined, 'p50<1us', 'errors<=100%', 'errors<1%,max<60m']) {
          const isSingle = run.calls === 1
          const made = outcome(
            { ...run, last: isSingle && run.ok === 0 ? last : null },
            { strict, isSingle, ...(assert ? { assert } : {}) },
          )
          const [{ report: shown, doc }] = made.runs as [CallOutcome['runs'][number]]
          const code = exitOfCalls([shown], [doc], { strict, n: run.calls })
          const hasFailure = parsed(renderJUnit(FACTS, made)).cases.some(({ result }) =>
            ['failure', 'error'].includes(result),
          )
          expect(hasFailure, `${code} ${assert} ${JSON.stringify(doc)}`).toBe(code !== 0)
          all++
          if (code !== 0) failed++
        }
      }
    }
    expect(failed).toBeGreaterThan(all / 4)
    expect(failed).toBeLessThan(all)
  })
})
