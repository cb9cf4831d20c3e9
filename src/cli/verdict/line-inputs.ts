import { count, percent } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'
import type { ShareFigures } from './table.js'

/** Maximum number of endpoints in the sentence; the table has all of them. */
const MAX_NAMED = 3

/** An endpoint with a share that gets no calls. */
interface UnservedEndpoint {
  readonly addr: string
  readonly share: number
  readonly problem: string
}

/** The unserved weight with its reasons, as a reservation of a verdict; null if all endpoints were served. */
export function unservedWeight(unserved: readonly UnservedEndpoint[]): string | null {
  if (unserved.length === 0) return null
  const share = unserved.reduce((sum, endpoint) => sum + endpoint.share, 0)
  const named = unserved
    .slice(0, MAX_NAMED)
    .map(({ addr, problem }) => `${visible(addr)} ${visible(problem)}`)
  const others = unserved.length - named.length
  const more = others > 0 ? ` and ${count(others, 'other')}` : ''
  return `${percent(share)} of the weight is unserved: ${named.join(', ')}${more}`
}

/** The weights; null if they changed during the run, so that they do not determine the expected shares. */
export function constantWeights(calls: number, rows: readonly ShareFigures[]): number[] | null {
  const total = rows.reduce((sum, { weight }) => sum + weight, 0)
  const areConstant = rows.every(
    ({ weight, expected }) => Math.abs(expected - (calls * weight) / total) < 0.01,
  )
  return areConstant ? rows.map(({ weight }) => weight) : null
}
