import { type Markup, markup } from '../markup.js'

/** An entry of a legend. */
export interface Key {
  /** The CSS class with the colour. */
  readonly color: string
  readonly look: 'area' | 'line' | 'dashed'
  readonly label: string
}

/** CSS classes of colours that are distinct for people with any colour vision (Okabe and Ito, 2008). */
export const SERIES_COLORS = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5'] as const

/** The CSS class of series beyond those of `SERIES_COLORS`. */
export const REST_COLOR = 'rest'

export function colorOf(index: number): string {
  return SERIES_COLORS[index] ?? REST_COLOR
}

export function legend(keys: readonly Key[]): Markup {
  const entries = keys.map(
    ({ color, look, label }) =>
      markup`<li><svg class="key" viewBox="0 0 22 12" width="22" height="12" aria-hidden="true">${swatch(color, look)}</svg><bdi>${label}</bdi></li>`,
  )
  return markup`<ul class="legend">${entries}</ul>`
}

function swatch(color: string, look: Key['look']): Markup {
  if (look === 'area') return markup`<rect class="fill ${color}" x="3" y="0" width="16" height="12" rx="2"/>`
  const dashed = look === 'dashed' ? 'dashed' : ''
  return markup`<path class="line ${color} ${dashed}" d="M1 6H21"/>`
}
