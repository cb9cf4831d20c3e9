import type { Palette } from '../terminal/color.js'
import { age, count } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'
import type { ResolvedRegistryDoc } from './document.js'

/** A line for each of several registries: its part in the balancing, and the state of its list. */
export function registryLines(registries: readonly ResolvedRegistryDoc[], palette: Palette): string[] {
  const isRatio = registries.every(({ priority }) => priority === 0)
  const width = Math.max(0, ...registries.map(({ registry }) => registry.length))
  return registries.map(({ registry, priority, weight, rev, endpoints, ageMs, problem }) => {
    const part = isRatio ? `weight ${weight}` : `priority ${priority}`
    const list = rev === null ? 'no list' : `${count(endpoints, 'endpoint')}, rev ${rev}`
    const cached = ageMs === 0 ? '' : ` from the cache, seen ${age(ageMs)} ago`
    const line = `${registry.padEnd(width)}  ${part}, ${list}${cached}`
    return problem === null ? line : palette.yellow(`${line}  ! STALE: ${visible(problem)}`)
  })
}
