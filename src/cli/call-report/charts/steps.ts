import { Markup } from '../markup.js'
import { coordinate } from './axes.js'
import type { Scale } from './scale.js'

/** The value of an interval; null for a gap. */
export interface Step {
  readonly fromMs: number
  readonly toMs: number
  readonly value: number | null
}

/** The path of a line with a level for each interval. */
export function stepLine(steps: readonly Step[], x: Scale, y: Scale): Markup {
  return new Markup(linePath(steps, x, y))
}

function linePath(steps: readonly Step[], x: Scale, y: Scale): string {
  let path = ''
  let isDrawing = false
  for (const { fromMs, toMs, value } of steps) {
    if (value === null) {
      isDrawing = false
      continue
    }
    const level = coordinate(y(value))
    path += isDrawing ? `V${level}` : `M${coordinate(x(fromMs))} ${level}`
    path += `H${coordinate(x(toMs))}`
    isDrawing = true
  }
  return path
}

/** The path of an area between two levels for each interval. */
export function stepArea(lower: readonly Step[], upper: readonly Step[], x: Scale, y: Scale): Markup {
  let path = ''
  for (const run of runsOf(upper)) {
    const [first] = run
    if (first === undefined) continue
    const above = run.map((at) => upper[at] as Step)
    const below = run.map((at) => lower[at] as Step)
    path += linePath(above, x, y)
    for (const { fromMs, toMs, value } of below.toReversed()) {
      path += `L${coordinate(x(toMs))} ${coordinate(y(value ?? 0))}H${coordinate(x(fromMs))}`
    }
    path += 'Z'
  }
  return new Markup(path)
}

/** Indexes of neighbours that have a value. */
function runsOf(steps: readonly Step[]): number[][] {
  const runs: number[][] = [[]]
  for (const [at, { value }] of steps.entries()) {
    if (value === null) runs.push([])
    else runs.at(-1)?.push(at)
  }
  return runs.filter((run) => run.length > 0)
}
