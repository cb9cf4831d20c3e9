import { visible } from '../terminal/visible.js'

/** Maximum length of a text from the registry or a server: a value in etcd may be a megabyte long. */
const MAX_CHARACTERS = 1_000

/** HTML, SVG or XML in which all untrusted text has been escaped. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = Markup | string | number | null | readonly Markup[]

/**
 * Markup from a template. Strings in the template are untrusted. They are escaped and cut to `MAX_CHARACTERS`; control
 * characters, marks that reorder text and invisible characters are shown as codes. Null adds nothing.
 */
export function markup(literals: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(literals.map((literal, at) => literal + textOf(parts[at] ?? null)).join(''))
}

/** Untrusted text, escaped for HTML, SVG and XML, in elements as well as in attributes. */
export function escaped(text: string): string {
  const shown = visible(cut(text))
  return shown.replace(/[&<>"'`\ufdd0-\ufdef\ufffe\uffff]/g, (character) => ESCAPES[character] ?? '\ufffd')
}

export const NOTHING = new Markup('')

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

function textOf(part: Part): string {
  if (part === null) return ''
  if (typeof part === 'number') return String(part)
  if (typeof part === 'string') return escaped(part)
  return part instanceof Markup ? part.text : part.map(({ text }) => text).join('')
}

function cut(text: string): string {
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text
}
