import type { Key } from '../terminal/keys.js'
import { graphemesOf } from '../terminal/text-width.js'
import { SORTS, type Sort } from './rows.js'

/** The settings of a watched screen that the user changes by keys. */
export interface Controls {
  /** The number of rows to scroll past. The table may have fewer. */
  readonly top: number
  /** The text that shown rows contain; empty for all rows. */
  readonly filter: string
  /** The filter that the user is typing; null if the user is not typing one. */
  readonly draft: string | null
  readonly sort: Sort
}

export const NO_CONTROLS: Controls = { top: 0, filter: '', draft: null, sort: 'address' }

/** The shown part of the table. */
export interface Page {
  /** Number of rows above the shown ones. */
  readonly top: number
  readonly shown: number
  /** The number of rows that match the filter. */
  readonly rows: number
}

/** The controls after a key is pressed; `quit` if the key ends the watch. */
export function press(controls: Controls, key: Key, page: Page): Controls | 'quit' {
  if (controls.draft !== null) return edit(controls, controls.draft, key)
  if (key.type === 'text') return type(controls, key.text, page)
  if (key.type === 'escape') return { ...controls, filter: '', top: 0 }
  const top = scroll(key, page)
  return top === null ? controls : { ...controls, top: Math.max(0, Math.min(top, page.rows - page.shown)) }
}

function scroll({ type }: Key, { top, shown, rows }: Page): number | null {
  switch (type) {
    case 'up':
      return top - 1
    case 'down':
      return top + 1
    case 'page-up':
      return top - shown
    case 'page-down':
      return top + shown
    case 'home':
      return 0
    case 'end':
      return rows
    default:
      return null
  }
}

/** The controls after typed text, which may hold several keys that were pressed quickly. */
function type(controls: Controls, text: string, page: Page): Controls | 'quit' {
  const [letter = '', ...rest] = text
  if (letter === '') return controls
  if (letter === 'q') return 'quit'
  if (letter === '/') return edit(controls, controls.filter, { type: 'text', text: rest.join('') })
  const next = letter === 's' ? { ...controls, top: 0, sort: sortAfter(controls.sort) } : controls
  return type(next, rest.join(''), page)
}

function sortAfter(sort: Sort): Sort {
  return SORTS[(SORTS.indexOf(sort) + 1) % SORTS.length] ?? sort
}

/** Maximum length of a filter, in characters: a longer one would hardly match fewer rows. */
const MOST_CHARACTERS = 100

function edit(controls: Controls, draft: string, key: Key): Controls {
  switch (key.type) {
    case 'text':
    case 'paste': {
      const text = draft + key.text.replaceAll(/\p{Cc}+/gu, '')
      return { ...controls, top: 0, draft: [...text].slice(0, MOST_CHARACTERS).join('') }
    }
    case 'backspace': {
      const last = [...graphemesOf(draft)].at(-1)
      return { ...controls, top: 0, draft: draft.slice(0, last?.index ?? 0) }
    }
    case 'ctrl-u':
      return { ...controls, top: 0, draft: '' }
    case 'enter':
      return { ...controls, filter: draft, draft: null }
    case 'escape':
      return { ...controls, top: 0, draft: null }
    default:
      return controls
  }
}
