import { Problem } from './layout.js'

/** The scheme of a URL, and its authority, such as host and port, as `addr`. For another text, `addr` is the text. */
export function readUrl(text: string): { readonly scheme: string | null; readonly addr: string } {
  const [, scheme, addr] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)/.exec(text) ?? []
  return scheme === undefined || addr === undefined ? { scheme: null, addr: text } : { scheme, addr }
}

/** The members of a query string, in order. The first of duplicates counts, as in Go's url.Values.Get. */
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

/** A query string, escaped as by Go's url.QueryEscape. */
export function writeQuery(members: Readonly<Record<string, string>>): string {
  return Object.entries(members)
    .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
    .join('&')
}

/** Sets the weight in a query string, or appends it. No other byte changes. */
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

/** Unescapes as Go's url.QueryUnescape does: `+` is a space. @throws Problem with the text `problem` */
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
