import type { Run, Shown } from './frames.js'

/** What one terminal of the recording showed. */
export interface Film {
  readonly columns: number
  readonly rows: number
  readonly shown: readonly Shown[]
}

const CELL = { width: 7.2, height: 16 }
const MARGIN = 12
/** The last screen stands still before the recording starts again. */
const REST_MS = 4_000

interface Palette {
  readonly paper: string
  readonly ink: string
  readonly frame: string
  /** Black, red, green, yellow, blue, magenta, cyan, white. */
  readonly colors: readonly string[]
}

const LIGHT: Palette = {
  paper: '#ffffff',
  ink: '#1f2328',
  frame: '#d0d7de',
  colors: ['#6e7781', '#cf222e', '#1a7f37', '#9a6700', '#0969da', '#8250df', '#1b7c83', '#1f2328'],
}
const DARK: Palette = {
  paper: '#0d1117',
  ink: '#e6edf3',
  frame: '#30363d',
  colors: ['#8b949e', '#ff7b72', '#3fb950', '#d29922', '#58a6ff', '#bc8cff', '#39c5cf', '#e6edf3'],
}

/**
 * The recording of terminals, one above the other, as an SVG that needs no script and no other file. Where animation is off
 * (`prefers-reduced-motion`, or a viewer without it), it is the last screen.
 *
 * @param commands for readers that do not see the picture
 */
export function toSvg(films: readonly Film[], endMs: number, commands: readonly string[]): string {
  const wholeMs = endMs + REST_MS
  const columns = Math.max(...films.map((film) => film.columns))
  const width = Math.ceil(columns * CELL.width + 2 * MARGIN)
  const spans = new Map<string, string>()
  const body: string[] = []
  let top = 0
  for (const { rows, shown } of films) {
    const height = rows * CELL.height + 2 * MARGIN
    body.push(`<rect x=".5" y="${top + 0.5}" width="${width - 1}" height="${height - 1}" rx="6" class="t"/>`)
    for (const one of shown) {
      const name = nameOf(spans, one, endMs, wholeMs)
      const y = top + MARGIN + (one.row + 0.75) * CELL.height
      const isLast = one.toMs === endMs
      body.push(
        `<text class="${isLast ? name : `x ${name}`}" y="${y}">${one.runs.map(toTspan).join('')}</text>`,
      )
    }
    top += height + MARGIN / 2
  }
  const height = Math.ceil(top - MARGIN / 2)
  const named = commands.map((command) => `$ ${command}`).join('\n')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>disco on two terminals</title>
<desc>${escaped(named)}</desc>
<style>
${variables(LIGHT)}
@media (prefers-color-scheme:dark){${variables(DARK)}}
.t{fill:var(--p);stroke:var(--f)}
text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;fill:var(--i);white-space:pre}
.b{font-weight:600}
.d{opacity:.65}
${LIGHT.colors.map((_, at) => `.c${at}{fill:var(--c${at})}`).join('')}
.x{visibility:hidden}
@media (prefers-reduced-motion:no-preference){
${[...spans].map(([keyframes, name]) => `@keyframes ${name}{${keyframes}}.${name}{animation:${name} ${(wholeMs / 1000).toFixed(1)}s step-end infinite}`).join('\n')}
}
</style>
${body.join('\n')}
</svg>
`
}

/** The class of all that is shown during the same time. */
function nameOf(spans: Map<string, string>, { fromMs, toMs }: Shown, endMs: number, wholeMs: number): string {
  const at = (ms: number) => `${((100 * ms) / wholeMs).toFixed(2)}%`
  const gone = toMs === endMs ? '' : `${at(toMs)}{visibility:hidden}`
  const keyframes = `0%{visibility:hidden}${at(fromMs)}{visibility:visible}${gone}`
  const name = spans.get(keyframes) ?? `k${spans.size.toString(36)}`
  spans.set(keyframes, name)
  return name
}

function toTspan({ column, text, color, isBold, isDim }: Run): string {
  const classes = [color === null ? '' : `c${color}`, isBold ? 'b' : '', isDim ? 'd' : '']
    .filter(Boolean)
    .join(' ')
  const x = (MARGIN + column * CELL.width).toFixed(1)
  // The width is that of the cells in any font.
  const length = ([...text].length * CELL.width).toFixed(1)
  return `<tspan x="${x}" textLength="${length}"${classes === '' ? '' : ` class="${classes}"`}>${escaped(text)}</tspan>`
}

function variables({ paper, ink, frame, colors }: Palette): string {
  const numbered = colors.map((color, at) => `--c${at}:${color}`).join(';')
  return `svg{--p:${paper};--i:${ink};--f:${frame};${numbered}}`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
