import { distribution } from '../charts/distribution.js'
import { latencyByEndpoint, MAX_ROWS } from '../charts/latency-by-endpoint.js'
import { latencyCourse } from '../charts/latency-course.js'
import { callRate } from '../charts/throughput.js'
import { type Markup, markup, NOTHING } from '../markup.js'
import type { ShownRun } from '../shown-run.js'

/** Latency percentiles over time and by endpoint, their distribution, and the rate of calls. */
export function latencySection(run: ShownRun): Markup {
  const { doc } = run
  if (doc.calls === 0) return NOTHING
  const endMs = Math.max(doc.elapsedMs, 1e-3)
  const called = doc.endpoints.filter(({ latencyMs }) => latencyMs.n > 0).length
  const cut =
    called > MAX_ROWS
      ? markup`<p class="note">The first ${MAX_ROWS} of ${called} endpoints; the table above has the others.</p>`
      : NOTHING
  return markup`<section><h2>Latency</h2><h3>Over time</h3>${latencyCourse(run, endMs)}<h3>By endpoint</h3>${cut}${latencyByEndpoint(
    doc,
  )}<h3>Distribution</h3>${distribution(doc)}<h3>Throughput</h3>${callRate(run, endMs)}</section>`
}
