/**
 * An etcd key as text that `keyBytes` converts back to the same bytes: UTF-8, in which each byte that is not part of
 * a character is a lone surrogate, U+DC80 to U+DCFF (as in Python's PEP 383). UTF-8 has no such characters.
 */
export function keyText(bytes: Uint8Array): string {
  const whole = utf8(bytes)
  if (whole !== null) return whole
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] ?? 0
    const length = lengthOf(lead)
    const character = utf8(bytes.subarray(at, at + length))
    text += character ?? String.fromCharCode(ESCAPED + lead)
    at += character === null ? 1 : length
  }
  return text
}

/** Decodes UTF-8 without copying the bytes first. Invalid bytes become U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  if (Buffer.isBuffer(bytes)) return bytes.toString()
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
}

/** The bytes of a key: the inverse of {@link keyText}. */
export function keyBytes(text: string): Buffer {
  if (isUtf8Key(text)) return Buffer.from(text)
  const characters = [...text].map((character) => {
    const code = character.codePointAt(0) ?? 0
    return isEscape(code) ? Buffer.from([code - ESCAPED]) : Buffer.from(character)
  })
  return Buffer.concat(characters)
}

/** Whether a key is UTF-8. Other keys never count as registrations, whatever their value. */
export function isUtf8Key(text: string): boolean {
  return !LONE_SURROGATE.test(text)
}

/** A key, or a text with keys in it, for display and JSON: bytes that are not UTF-8 as `\xff`. */
export function shownKey(text: string): string {
  return isUtf8Key(text) ? text : text.replace(LONE_SURROGATES, shown)
}

const ESCAPED = 0xdc00
const LONE_SURROGATE = /[\ud800-\udfff]/u
const LONE_SURROGATES = /[\ud800-\udfff]/gu

function shown(surrogate: string): string {
  const code = surrogate.charCodeAt(0)
  return isEscape(code) ? `\\x${(code - ESCAPED).toString(16)}` : `\\u${code.toString(16)}`
}

function isEscape(code: number): boolean {
  return code >= ESCAPED + 0x80 && code <= ESCAPED + 0xff
}

/** The number of bytes of a character that begins with this byte. */
function lengthOf(lead: number): number {
  if (lead < 0xc0) return 1
  if (lead < 0xe0) return 2
  return lead < 0xf0 ? 3 : 4
}

/** Decodes UTF-8. Null for other bytes, which the decoder would replace by U+FFFD. */
function utf8(bytes: Uint8Array): string | null {
  const text = textOf(bytes)
  return !text.includes('\ufffd') || Buffer.from(text).equals(bytes) ? text : null
}
