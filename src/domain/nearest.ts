import { appearanceOf } from './look-alike.js'

/** The maximum number of suggestions. */
const MAX_NAMES = 3

/**
 * The known names that look the same as a mistyped one; if there are none, those that differ from it by a single
 * slip: a letter added, left out or replaced, or two neighbours swapped. Letter case does not count. Returns at most
 * three names; those that differ only in case come first.
 */
export function nearestNames(name: string, known: Iterable<string>): string[] {
  const candidates = [...new Set(known)]
  const appearance = appearanceOf(name)
  const sameAppearance = candidates.filter((candidate) => appearanceOf(candidate) === appearance)
  if (sameAppearance.length > 0) return sameAppearance.slice(0, MAX_NAMES)
  const typed = name.toLowerCase()
  return candidates
    .map((candidate) => ({ candidate, edits: editsBetween(typed, candidate.toLowerCase()) }))
    .filter(({ edits }) => edits !== null)
    .sort((a, b) => Number(a.edits) - Number(b.edits) || a.candidate.localeCompare(b.candidate))
    .slice(0, MAX_NAMES)
    .map(({ candidate }) => candidate)
}

/** The suggestion of the nearest names; an empty list if no name is near. */
export function didYouMean(name: string, known: Iterable<string>): string[] {
  const nearest = nearestNames(name, known)
  return nearest.length > 0 ? [`Did you mean ${nearest.join(' or ')}?`] : []
}

/** The suggestions for an unknown name: the nearest names, and all. */
export function nameSuggestions(name: string, known: readonly string[]): string[] {
  return [...didYouMean(name, known), `Available: ${known.join(', ')}`]
}

/** The number of slips between two names: 0 or 1. Null if there are more, and for names without a common letter. */
function editsBetween(typed: string, known: string): 0 | 1 | null {
  if (typed === known) return 0
  if (Math.abs(typed.length - known.length) > 1) return null
  let start = 0
  while (start < typed.length && typed[start] === known[start]) start++
  let end = 0
  const shorter = Math.min(typed.length, known.length)
  while (end < shorter - start && typed.at(-1 - end) === known.at(-1 - end)) end++
  const left = typed.slice(start, typed.length - end)
  const right = known.slice(start, known.length - end)
  const areTwo = left.length === 2 && right.length === 2
  const isSwap = areTwo && left[0] === right[1] && left[1] === right[0]
  const isOneLetter = left.length <= 1 && right.length <= 1
  // A one-letter word whose letter is replaced has nothing left in common.
  const isAllNew = start + end === 0 && !isSwap
  return (isSwap || isOneLetter) && !isAllNew ? 1 : null
}
