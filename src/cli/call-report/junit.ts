import { renderCallReport } from '../call/report.js'
import { uncolored } from '../terminal/color.js'
import type { CallOutcome, RunFacts } from './call-file.js'
import { type Check, checksOf } from './checks.js'
import { Markup, markup } from './markup.js'

interface Suite {
  readonly name: string
  readonly seconds: number
  readonly properties: Readonly<Record<string, string>>
  readonly checks: readonly Check[]
  /** The report as text, for the output of the suite. */
  readonly text: string
}

/** The outcome as JUnit XML in the dialect of GitLab and Jenkins: a suite for each run, a case for each check. */
export function renderJUnit(facts: RunFacts, outcome: CallOutcome): string {
  const suites = [
    ...outcome.runs.map((run) => suiteOf(facts, outcome, run)),
    ...suitesWithoutRun(facts, outcome),
  ]
  const all = suites.flatMap(({ checks }) => checks)
  const seconds = suites.reduce((sum, suite) => sum + suite.seconds, 0)
  const content = suites.map((suite) => renderSuite(facts, suite))
  const { text } = markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="disco call ${facts.service} ${facts.method}"${counts(all)} time="${seconds.toFixed(3)}">
${content}</testsuites>
`
  return text
}

function suiteOf(facts: RunFacts, { checkedBy }: CallOutcome, { doc }: CallOutcome['runs'][number]): Suite {
  return {
    name: `${doc.service} ${doc.method} ${doc.policy}`,
    seconds: doc.elapsedMs / 1_000,
    properties: {
      ...properties(facts),
      target: doc.target,
      policy: doc.policy,
      revision: doc.rev ?? 'none',
      calls: String(doc.calls),
      ok: String(doc.ok),
      'calls per second': String(doc.perSecond),
      ...Object.fromEntries(
        (['p50', 'p95', 'p99', 'max'] as const).map((of) => [
          `latency ${of} ms`,
          String(doc.latencyMs[of] ?? ''),
        ]),
      ),
    },
    checks: checksOf(doc, checkedBy),
    text: checkedBy.isSingle ? '' : renderCallReport(doc, uncolored),
  }
}

/** A suite for the run that failed, and one for each run that was not begun. */
function suitesWithoutRun(facts: RunFacts, { failure, runs, without }: CallOutcome): Suite[] {
  if (failure === null) return []
  const { code, message, suggestions } = failure
  const { service, method } = runs[0]?.doc ?? facts
  const name = `${service} ${method}`
  const common = { seconds: 0, properties: properties(facts) }
  const failed: Check = { name: 'run', result: 'error', message: `${code}: ${message}` }
  const text = [message, ...suggestions].join('\n')
  // If no run has completed, the whole command has failed: one suite, without a policy.
  if (runs.length === 0) return [{ ...common, name, checks: [failed], text }]
  const skipped: Check = { name: 'run', result: 'skipped', message: 'not begun: an earlier run failed' }
  return without.map((policy, at) => ({
    ...common,
    name: `${name} ${policy}`,
    checks: [at === 0 ? failed : skipped],
    text: at === 0 ? text : '',
  }))
}

function properties({ command, version }: RunFacts): Record<string, string> {
  return { command, 'disco version': version }
}

function renderSuite(
  { startedAt, service }: RunFacts,
  { name, seconds, properties, checks, text }: Suite,
): Markup {
  const named = Object.entries(properties).map(
    ([name, value]) => markup`    <property name="${name}" value="${value}"/>\n`,
  )
  const cases = checks.map((check) => renderCase(`disco.call.${service}`, check))
  const time = seconds.toFixed(3)
  return markup`  <testsuite name="${name}"${counts(checks)} time="${time}" timestamp="${timestamp(startedAt)}">
  <properties>
${named}  </properties>
${cases}${text === '' ? null : markup`  <system-out>${lines(text)}</system-out>\n`}  </testsuite>
`
}

function renderCase(className: string, { name, result, message }: Check): Markup {
  const start = markup`  <testcase classname="${className}" name="${name}" time="0"`
  if (result === 'passed') return markup`${start}><system-out>${message}</system-out></testcase>\n`
  if (result === 'skipped') return markup`${start}><skipped message="${message}"/></testcase>\n`
  const element = new Markup(result === 'error' ? 'error' : 'failure')
  return markup`${start}><${element} message="${message}" type="${name}">${message}</${element}></testcase>\n`
}

function counts(checks: readonly Check[]): Markup {
  const number = (result: Check['result']) => checks.filter((check) => check.result === result).length
  return markup` tests="${checks.length}" failures="${number('failed')}" errors="${number('error')}" skipped="${number('skipped')}"`
}

/** Maximum number of report lines in a suite: a table of 1,000 endpoints would hide the verdict below it. */
const MAX_LINES = 240
/** The last lines, which are always shown: the verdict and everything that may follow it. */
const LAST_LINES = 40

/** Shortens a long text in the middle. Escapes each line separately, because `markup` escapes line breaks too. */
function lines(text: string): Markup {
  const all = text.split('\n')
  const left = all.length - MAX_LINES
  const shown =
    left <= 0
      ? all
      : [...all.slice(0, MAX_LINES - LAST_LINES), `… ${left} more lines`, ...all.slice(-LAST_LINES)]
  const escaped = shown.map((line) => markup`${line}`.text)
  return new Markup(escaped.join('\n'))
}

/** The UTC time in ISO 8601 without fractions and zone, as the schema of JUnit requires. */
function timestamp(date: Date): string {
  return date.toISOString().slice(0, 19)
}
