import { createHash } from 'node:crypto'
import type { CallDoc } from '../call/document.js'
import { duration } from '../terminal/units.js'
import type { CallOutcome, RunFacts } from './call-file.js'
import type { CheckedBy } from './checks.js'
import { Markup, markup, NOTHING } from './markup.js'
import { checksSection } from './sections/checks.js'
import { errorsSection } from './sections/errors.js'
import { eventsSection } from './sections/events.js'
import { latencySection } from './sections/latency.js'
import { notesSection, unservedSection } from './sections/remarks.js'
import { sharesSection } from './sections/shares.js'
import { summary } from './sections/summary.js'
import { shownRun } from './shown-run.js'
import { STYLE } from './style.js'

/**
 * The outcome as one HTML page without scripts, fonts and requests. The page's Content-Security-Policy forbids them, so
 * that text from a registry or a server could not fetch or run anything even if it were not escaped.
 */
export function renderPage(facts: RunFacts, outcome: CallOutcome): string {
  const hash = createHash('sha256').update(STYLE).digest('base64')
  const security = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
  const { service, method } = facts
  const runs = outcome.runs.map(({ report, doc }) => runPart(shownRun(report, doc), outcome))
  const { text } = markup`<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(security)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>disco call ${service} ${method}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
${header(facts, outcome)}
${failure(outcome)}
${runs}
</main>
<footer>disco ${facts.version}. Times are of the client. Each step of a chart is one interval of the run.</footer>
</body>
</html>
`
  return text
}

function header({ service, method, command, version, startedAt }: RunFacts, { runs }: CallOutcome): Markup {
  const revisions = [...new Set(runs.map(({ doc }) => doc.rev).filter((rev) => rev !== null))].join(', ')
  const facts: [string, string][] = [
    ['started', `${startedAt.toISOString().slice(0, 19).replace('T', ' ')} UTC`],
    ...(runs.length === 0
      ? []
      : [['policy', runs.map(({ doc }) => doc.policy).join(', ')] as [string, string]]),
    ['etcd revision', revisions === '' ? 'none' : revisions],
    ['disco', version],
    ...runs.slice(0, 1).map(({ doc }): [string, string] => ['target', doc.target]),
  ]
  const items = facts.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)
  return markup`<header><h1><bdi>${service}</bdi> → <bdi>${method}</bdi></h1><dl class="facts">${items}</dl><pre class="command">${command}</pre></header>`
}

/** The error that ended the command. */
function failure({ failure: error, runs, without }: CallOutcome): Markup {
  if (error === null) return NOTHING
  const hints = error.suggestions.map((hint) => markup`<li>${hint}</li>`)
  // After completed runs, name the policies without a result: the results of the others follow on the page.
  const of = runs.length === 0 ? '' : ` of ${without.join(', ')}`
  return markup`<div class="verdict fail"><span class="glyph" aria-hidden="true">✗</span><div><p class="head"><strong>${error.code}</strong> ${error.message}</p><ul>${hints}</ul><p>No result${of}: exit code ${error.exit}.</p></div></div>`
}

function runPart(run: ReturnType<typeof shownRun>, { checkedBy, runs, without }: CallOutcome): Markup {
  const { doc } = run
  const title =
    runs.length + without.length > 1 ? markup`<h2 class="policy">Policy ${doc.policy}</h2>` : NOTHING
  return markup`<article>${title}${readiness(doc, checkedBy)}${summary(doc, checkedBy)}${checksSection(doc, checkedBy)}${unservedSection(
    doc,
  )}${sharesSection(run)}${latencySection(run)}${errorsSection(run)}${eventsSection(doc)}${notesSection(doc)}</article>`
}

/** The number of endpoints in each state when the calls began. */
function readiness({ ready }: CallDoc, { isSingle }: CheckedBy): Markup {
  if (isSingle) return NOTHING
  const { endpoints, registered, drained, refused, connecting, unusable, elapsedMs } = ready
  const others = Object.entries({ drained, refused, connecting, unusable }).filter(([, number]) => number > 0)
  const parts = [
    `${endpoints} of ${registered} ready`,
    ...others.map(([what, number]) => `${number} ${what}`),
  ]
  return markup`<p class="readiness">${parts.join(', ')} in ${duration(elapsedMs)}</p>`
}
