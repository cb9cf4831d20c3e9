import { Problem } from './layout.js'

/** The scheme of a URL, and its host and port (or what takes their place); without a scheme, the text itself. */
export function readUrl(text: string): { readonly scheme: string | null; readonly addr: string } {
  const [, scheme, addr] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)/.exec(text) ?? []
  return scheme === undefined || addr === undefined ? { scheme: null, addr: text } : { scheme, addr }
}

/** The members of a query string in their order; of duplicates the first, as Go's Get. */
export function readQuery(text: string): Readonly<Record<string, string>> {
  const members: Record<string, string> = Object.create(null)
  for (const part of text.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = unescaped(equals < 0 ? part : part.slice(0, equals))
    members[name] ??= equals < 0 ? '' : unescaped(part.slice(equals + 1))
  }
  return { ...members }
}

/** Escaped as Go's url.QueryEscape does. */
export function writeQuery(members: Readonly<Record<string, string>>): string {
  return Object.entries(members)
    .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
    .join('&')
}

/** Only the digits of the weight change, or the weight is appended. */
export function queryWithWeight(value: Uint8Array, weight: number): Uint8Array {
  const parts = Buffer.from(value).toString('latin1').split('&')
  let found = false
  const changed = parts.map((part) => {
    const [name = ''] = part.split('=', 1)
    if (!isWeight(name)) return part
    found = true
    return `${name}=${weight}`
  })
  const own = changed.length === 1 && changed[0] === '' ? [] : changed
  return Buffer.from((found ? changed : [...own, `weight=${weight}`]).join('&'), 'latin1')
}

function isWeight(name: string): boolean {
  try {
    return unescaped(name) === 'weight'
  } catch {
    return false
  }
}

/** Unescaped like Go's url.QueryUnescape: `+` is a space. @throws Problem with `problem` as its text */
export function unescaped(text: string, problem = 'value is not a query string'): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw new Problem(problem)
  }
}

function escaped(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}
