import type { CallReport, SeriesInterval, SeriesReport } from '../../call/report.js'
import { type EndpointId, endpointId } from '../../domain/endpoint.js'
import type { CallDoc } from '../call/document.js'

/** A run as its report shows it: its document, its time series, and the endpoints of the charts. */
export interface ShownRun {
  readonly doc: CallDoc
  readonly series: SeriesReport
  /** The endpoints with a chart of their own, those with the most expected calls first. */
  readonly drawn: readonly DrawnEndpoint[]
  /** Number of endpoints that share one chart. */
  readonly others: number
}

export interface DrawnEndpoint {
  readonly id: EndpointId
  readonly name: string
  readonly doc: CallDoc['endpoints'][number]
}

/** Maximum number of endpoints with a chart of their own; the table has all endpoints. */
const MAX_DRAWN = 12

const NO_SERIES: SeriesReport = { intervals: [], firstFailures: new Map() }

/** @param doc the document of `report`; its endpoints are in the same order */
export function shownRun(report: CallReport, doc: CallDoc): ShownRun {
  const series = report.series ?? NO_SERIES
  const followed = new Set(series.intervals.flatMap(({ shares }) => [...shares.byId.keys()]))
  const candidates = report.endpoints.flatMap(({ endpoint }, at): DrawnEndpoint[] => {
    const own = doc.endpoints[at]
    const id = endpointId(endpoint)
    return own && followed.has(id) ? [{ id, name: nameOf(own), doc: own }] : []
  })
  const drawn = candidates.slice(0, MAX_DRAWN)
  const active = doc.endpoints.filter(({ picks, expected }) => picks > 0 || expected > 0).length
  return { doc, series, drawn, others: Math.max(0, active - drawn.length) }
}

/** The name of an endpoint in a chart. */
export function nameOf({ addr, key, registry }: CallDoc['endpoints'][number]): string {
  const name = addr || key
  return registry === undefined ? name : `${registry} ${name}`
}

/** Long names are cut in the middle: endpoints usually differ at the end. */
export function shortName(name: string, most: number): string {
  if (name.length <= most) return name
  const kept = most - 1
  return `${name.slice(0, Math.ceil(kept / 2))}…${name.slice(name.length - Math.floor(kept / 2))}`
}

/** Picks and expected picks of one endpoint, or of several together, in an interval. Both are counts. */
export interface ShareOf {
  readonly observed: (interval: SeriesInterval) => number
  readonly expected: (interval: SeriesInterval) => number
}

export function shareOf(id: EndpointId): ShareOf {
  return {
    observed: ({ shares }) => shares.byId.get(id)?.picks ?? 0,
    expected: ({ shares }) => shares.byId.get(id)?.expected ?? 0,
  }
}

/** The picks of all endpoints except those in `drawn`. */
export function shareOfOthers(drawn: readonly DrawnEndpoint[]): ShareOf {
  const rest = (all: number, ofOne: (share: ShareOf) => number) =>
    Math.max(
      0,
      drawn.reduce((left, { id }) => left - ofOne(shareOf(id)), all),
    )
  return {
    observed: (interval) => rest(interval.shares.picks, ({ observed }) => observed(interval)),
    expected: (interval) => rest(interval.shares.picks, ({ expected }) => expected(interval)),
  }
}
