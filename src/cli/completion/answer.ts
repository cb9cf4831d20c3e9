import { visible } from '../terminal/visible.js'
import type { Candidate } from './candidates.js'
import type { Position } from './expected.js'
import type { Shell } from './scripts.js'

/** Maximum number of candidates: shells become slow with more. */
const MAX_CANDIDATES = 1_000

/** Maximum length of a description, in characters: shells print it on the same line as the word. */
const MAX_DESCRIPTION = 60

/**
 * Words that need no quotes in any of the shells. Names in a registry are untrusted, and the shell inserts a candidate
 * into the command line.
 */
const SAFE = /^[\p{L}\p{N}_./:@%+=,\-[\]]+$/u

/** Also `>`, as in `weight>0`, for shells that quote the words they insert. In other shells it redirects to a file. */
const SAFE_IN_QUOTES = /^[\p{L}\p{N}_./:@%+=,\-[\]>]+$/u

const QUOTING: ReadonlySet<Shell> = new Set(['zsh', 'fish'])

/**
 * The answer to a completion script: `words`, `part` or `files` on the first line (see `SCRIPTS`), then one candidate
 * per line.
 *
 * @param candidates null if the shell is to complete names of files
 * @param breaks characters at which bash begins a new word (COMP_WORDBREAKS); bash replaces only the text after the
 *   last one in the typed word
 */
export function answerLines(
  shell: Shell,
  { expected, typed, prefix }: Position,
  candidates: readonly Candidate[] | null,
  breaks = '',
): string[] {
  if (candidates === null) return ['files']
  const safe = QUOTING.has(shell) ? SAFE_IN_QUOTES : SAFE
  const offered = candidates
    .filter(({ value }) => value.startsWith(typed) && safe.test(value))
    // A name that begins with a dash would be read as a flag, such as --all.
    .filter(({ value }) => expected.kind === 'flag' || !value.startsWith('-'))
    // After `field=`, offer only the values of the field.
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

/** The index after the last break character of a word. Only characters that occur in names of a registry count. */
function lastBreak(word: string, breaks: string): number {
  const inNames = [...':=@>'].filter((character) => breaks.includes(character))
  const ends = inNames.map((character) => word.lastIndexOf(character) + 1)
  return Math.max(0, ...ends)
}
