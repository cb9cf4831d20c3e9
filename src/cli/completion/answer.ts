import { visible } from '../terminal/visible.js'
import type { Candidate } from './candidates.js'
import type { Position } from './expected.js'
import type { Shell } from './scripts.js'

/** More are not offered: no reader looks through them, and shells become slow. */
const MAX_CANDIDATES = 1_000

/** Descriptions are cut to this length: shells put them beside the word. */
const MAX_DESCRIPTION = 60

/**
 * Words that need no quotes in any of the shells. Names in a registry are untrusted, and a shell inserts what is
 * offered into a command line.
 */
const SAFE = /^[\p{L}\p{N}_./:@%+=,\-[\]>]+$/u

/**
 * The answer to a script: the kind, and a candidate a line.
 *
 * @param candidates null for the names of files
 * @param breaks characters at which bash begins a new word (COMP_WORDBREAKS): it replaces only what follows the last
 */
export function answerLines(
  shell: Shell,
  { typed, prefix }: Position,
  candidates: readonly Candidate[] | null,
  breaks = '',
): string[] {
  if (candidates === null) return ['files']
  const offered = candidates
    .filter(({ value }) => value.startsWith(typed) && SAFE.test(value))
    // The name of a field is complete: its values are offered.
    .filter(({ value }) => value !== typed || !value.endsWith('='))
    .slice(0, MAX_CANDIDATES)
  const isPart = offered.some(({ value }) => value.endsWith('='))
  const typedWord = prefix + typed
  const kept = shell === 'bash' ? lastBreak(typedWord, breaks) : 0
  return [
    isPart ? 'part' : 'words',
    ...offered.map(({ value, description }) => lineOf(shell, (prefix + value).slice(kept), description)),
  ]
}

function lineOf(shell: Shell, word: string, description: string): string {
  const text = visible(description).slice(0, MAX_DESCRIPTION)
  if (shell === 'bash') return word
  if (shell === 'zsh')
    return text === '' ? word.replaceAll(':', '\\:') : `${word.replaceAll(':', '\\:')}:${text}`
  return text === '' ? word : `${word}\t${text}`
}

/** Of the characters that break words, those in names of the registry. */
function lastBreak(word: string, breaks: string): number {
  const ends = [...':=@>'].filter((one) => breaks.includes(one)).map((one) => word.lastIndexOf(one) + 1)
  return Math.max(0, ...ends)
}
