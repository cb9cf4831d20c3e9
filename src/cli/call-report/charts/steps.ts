import { Markup } from '../markup.js'
import { coordinate } from './axes.js'
import type { Scale } from './scale.js'

/** The value of an interval; null leaves a gap in the line. */
export interface Step {
  readonly fromMs: number
  readonly toMs: number
  readonly value: number | null
}

/** The SVG path of a line that is horizontal within each interval. */
export function stepLine(steps: readonly Step[], x: Scale, y: Scale): Markup {
  return new Markup(linePath(steps, x, y))
}

function linePath(steps: readonly Step[], x: Scale, y: Scale): string {
  let path = ''
  /** The y coordinate of the last level; null in a gap. `path` ends at the start of that level. */
  let level: string | null = null
  let end = ''
  const finish = () => {
    if (level !== null) path += `H${end}`
  }
  for (const { fromMs, toMs, value } of steps) {
    const next = value === null ? null : coordinate(y(value))
    if (next !== level) {
      finish()
      if (next !== null) path += level === null ? `M${coordinate(x(fromMs))} ${next}` : `V${next}`
    }
    level = next
    end = coordinate(x(toMs))
  }
  finish()
  return path
}

/** The SVG path of the area between two step lines. */
export function stepArea(lower: readonly Step[], upper: readonly Step[], x: Scale, y: Scale): Markup {
  let path = ''
  for (const run of runsOf(upper)) {
    const [first] = run
    if (first === undefined) continue
    const above = run.map((at) => upper[at] as Step)
    const below = run.map((at) => lower[at] as Step)
    // The lower edge is drawn from right to left, so the ends of each step are swapped.
    const back = below
      .toReversed()
      .map(({ fromMs, toMs, value }) => ({ fromMs: toMs, toMs: fromMs, value: value ?? 0 }))
    path += `${linePath(above, x, y)}${linePath(back, x, y).replace('M', 'L')}Z`
  }
  return new Markup(path)
}

/** The runs of consecutive steps that have a value, as indexes. */
function runsOf(steps: readonly Step[]): number[][] {
  const runs: number[][] = [[]]
  for (const [at, { value }] of steps.entries()) {
    if (value === null) runs.push([])
    else runs.at(-1)?.push(at)
  }
  return runs.filter((run) => run.length > 0)
}
