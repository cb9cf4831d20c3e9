import type { Version } from './version.js'

/**
 * The index of the first version at or above a revision; the number of versions where there is none.
 *
 * @param versions in the order of their revisions
 */
export function firstAt(versions: readonly Version[], revision: number): number {
  let low = 0
  let high = versions.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const version = versions[middle]
    if (version !== undefined && version.modRevision < revision) low = middle + 1
    else high = middle
  }
  return low
}
