import type { EndpointId } from '../domain/endpoint.js'
import { type Interval, Intervals } from '../stats/intervals.js'
import { LatencyHistogram } from '../stats/latency.js'
import { addShares, type PickCounts, ShareSeries } from '../stats/share-series.js'
import type { CallResult, FirstOfStatus, SeriesInterval, SeriesReport } from './report.js'

/** gRPC status code OK. */
const OK = 0

/** An interval with fewer calls would show chance rather than a trend. */
const MIN_CALLS_SHOWN = 50
/** Limits of the number of intervals: a short run has more than one, and a long run fits on a page. */
const MIN_SHOWN = 10
const MAX_SHOWN = 120

/** One interval of a run: the calls that ended in it, and the picks that were made in it. */
interface Content {
  calls: number
  errors: number
  readonly latency: LatencyHistogram
  readonly shares: PickCounts
}

/** Records a run over time, in bounded memory: see `Intervals`. */
export class RunSeries {
  private readonly intervals = new Intervals<Content>({ create, add })
  private readonly shares = new ShareSeries()
  private readonly firstFailures = new Map<string, FirstOfStatus>()
  private startedAtMs = 0
  /** Begin and end of the interval of the current picks, in milliseconds since the start of the run. */
  private sinceMs = 0
  private untilMs = 0

  /** @param nowMs the clock of the run, such as performance.now() */
  constructor(private readonly nowMs: () => number) {}

  /** @param weights of the endpoints in rotation */
  begin(startedAtMs: number, weights: ReadonlyMap<EndpointId, number>): void {
    this.startedAtMs = startedAtMs
    this.shares.change(weights)
  }

  /** @param changes new weights; 0 for an endpoint that is no longer in rotation */
  rotated(changes: ReadonlyMap<EndpointId, number>): void {
    this.shares.change(changes)
  }

  picked(id: EndpointId): void {
    const atMs = this.nowMs() - this.startedAtMs
    if (atMs >= this.untilMs) {
      this.takeShares()
      this.sinceMs = atMs
      // The interval must exist before its end is known.
      this.intervals.at(atMs)
      this.untilMs = this.intervals.endOf(atMs)
    }
    this.shares.pick(id)
  }

  ended({ number, endpoint, status, statusCode, details, latencyMs }: CallResult): void {
    const atMs = this.nowMs() - this.startedAtMs
    const content = this.intervals.at(atMs)
    content.calls++
    content.latency.record(latencyMs)
    if (statusCode === OK) return
    content.errors++
    if (this.firstFailures.has(status)) return
    this.firstFailures.set(status, { n: number, addr: endpoint?.addr ?? null, details, atMs })
  }

  /** @param calls the number of calls that ended in the run */
  report(elapsedMs: number, calls: number): SeriesReport {
    this.takeShares()
    const most = Math.min(MAX_SHOWN, Math.max(MIN_SHOWN, Math.floor(calls / MIN_CALLS_SHOWN)))
    return {
      intervals: this.intervals.list(elapsedMs, most).map(intervalOf),
      firstFailures: this.firstFailures,
    }
  }

  private takeShares(): void {
    const taken = this.shares.take()
    if (taken.picks > 0) addShares(this.intervals.at(this.sinceMs).shares, taken)
  }
}

function create(): Content {
  return { calls: 0, errors: 0, latency: new LatencyHistogram(), shares: { picks: 0, byId: new Map() } }
}

function add(sum: Content, more: Content): void {
  sum.calls += more.calls
  sum.errors += more.errors
  sum.latency.add(more.latency)
  addShares(sum.shares, more.shares)
}

function intervalOf({ fromMs, toMs, content }: Interval<Content>): SeriesInterval {
  const { calls, errors, latency, shares } = content
  return { fromMs, toMs, calls, errors, latency: latency.summary(), shares }
}
