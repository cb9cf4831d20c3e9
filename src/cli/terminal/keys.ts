/** A key of the keyboard, or pasted text. */
export type Key =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'paste'; readonly text: string }
  | { readonly type: NamedKey }

export type NamedKey =
  | 'up'
  | 'down'
  | 'page-up'
  | 'page-down'
  | 'home'
  | 'end'
  | 'enter'
  | 'escape'
  | 'backspace'
  | 'ctrl-c'
  | 'ctrl-d'
  | 'ctrl-l'
  | 'ctrl-u'
  | 'ctrl-z'
  | 'ctrl-backslash'

/** Asks the terminal to mark pasted text, so that it does not act as keys. */
export const enableBracketedPaste = '\u001b[?2004h'
export const disableBracketedPaste = '\u001b[?2004l'

const CONTROLS: Readonly<Record<string, NamedKey>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\b': 'backspace',
  '\u007f': 'backspace',
  '\u0003': 'ctrl-c',
  '\u0004': 'ctrl-d',
  '\u000c': 'ctrl-l',
  '\u0015': 'ctrl-u',
  '\u001a': 'ctrl-z',
  '\u001c': 'ctrl-backslash',
}

/** The sequences after ESC that xterm, VT220, rxvt, the Linux console and PuTTY send for named keys. */
const SEQUENCES: Readonly<Record<string, NamedKey>> = {
  '[A': 'up',
  '[B': 'down',
  '[H': 'home',
  '[F': 'end',
  OA: 'up',
  OB: 'down',
  OH: 'home',
  OF: 'end',
  '[1~': 'home',
  '[4~': 'end',
  '[5~': 'page-up',
  '[6~': 'page-down',
  '[7~': 'home',
  '[8~': 'end',
}

const PASTE_STARTS = '[200~'
const PASTE_ENDS = '\u001b[201~'

/** Maximum length of a paste; the rest is dropped. Filters are shorter, and a paste without an end needs a limit. */
const MOST_PASTED = 4_096

/** The limit of an incomplete sequence, in characters. Keys send shorter ones; a longer one may have lost its end. */
const MOST_SEQUENCE = 64

/** A CSI sequence (ECMA-48, 5.4) after ESC: parameters, intermediates, and the final character. */
const CSI = /^\[[0-?]*[ -/]*[@-Z\\-~]/
/** F1 to F5 of the Linux console; F1 to F4 and the numeric pad of others. */
const FUNCTION_KEY = /^(?:\[\[[A-E]|O[ -~])/
/** Strings that a terminal sends in reply to a query: OSC, DCS, APC, PM and SOS, ended by BEL or ST. */
const STRING = /^[\]P_^X][^\u0007\u001b]*(?:\u0007|\u001b\\)/
/** Incomplete sequences of the kinds above. */
const PARTS = [/^\[[0-?]*[ -/]*$/, /^(?:|O|\[\[)$/, /^[\]P_^X][^\u0007\u001b]*\u001b?$/]
/** Control characters without a meaning here. */
const CONTROL = /^[\u0000-\u001f\u007f-\u009f]/
const TEXT = /^[^\u0000-\u001f\u007f-\u009f]+/

/**
 * Reads keys from the input of a terminal in raw mode. A sequence may arrive in parts, which are kept until the
 * sequence is complete, or until `flush`. Unknown sequences and control characters have no effect.
 */
export class KeyReader {
  private rest = ''
  /** The text of a paste that has not ended; null outside of one. */
  private pasted: string | null = null

  /** Whether the input ends with an incomplete sequence. Call `flush` if no further input arrives. */
  get isWaiting(): boolean {
    return this.rest !== ''
  }

  /** The keys that are complete with this input. */
  read(input: string): Key[] {
    this.rest += input
    const keys: Key[] = []
    for (let before = -1; this.rest.length > 0 && this.rest.length !== before; ) {
      before = this.rest.length
      const key = this.pasted === null ? this.next() : this.restOfPaste(this.pasted)
      if (key) keys.push(key)
    }
    return keys
  }

  /** Ends the wait for the rest of a sequence. ESC alone is the Escape key; other incomplete sequences are dropped. */
  flush(): Key[] {
    const isEscape = this.rest === ESC && this.pasted === null
    // Within a paste, the rest may be a part of the sequence that ends it.
    if (this.pasted === null) this.rest = ''
    return isEscape ? [{ type: 'escape' }] : []
  }

  /** Takes one key from the input; null for a key without a meaning, or an incomplete one. */
  private next(): Key | null {
    const text = TEXT.exec(this.rest)?.[0]
    if (text !== undefined) return this.take(text.length, { type: 'text', text })
    if (!this.rest.startsWith(ESC)) {
      const type = CONTROLS[this.rest.charAt(0)]
      return this.take(1, type === undefined ? null : { type })
    }
    const after = this.rest.slice(ESC.length)
    if (after.startsWith(PASTE_STARTS)) {
      this.pasted = ''
      return this.take(ESC.length + PASTE_STARTS.length, null)
    }
    // ESC and a control character are two keys.
    if (CONTROL.test(after)) return this.take(ESC.length, { type: 'escape' })
    const sequence = this.sequence(after)
    if (sequence === null) return null
    const type = SEQUENCES[sequence]
    return this.take(ESC.length + sequence.length, type === undefined ? null : { type })
  }

  /** The sequence after ESC, known or unknown; null for an incomplete one. */
  private sequence(after: string): string | null {
    const whole = FUNCTION_KEY.exec(after) ?? CSI.exec(after) ?? STRING.exec(after)
    if (whole) return whole[0]
    const isPart = PARTS.some((part) => part.test(after))
    if (isPart) return after.length > MOST_SEQUENCE ? after : null
    // A letter with Alt, or the beginning of a malformed sequence.
    return firstCharacter(after)
  }

  private take(length: number, key: Key | null): Key | null {
    this.rest = this.rest.slice(length)
    return key
  }

  private restOfPaste(before: string): Key | null {
    const end = this.rest.indexOf(PASTE_ENDS)
    // This input may end with a part of the sequence that ends the paste.
    const length = end >= 0 ? end : Math.max(0, this.rest.length - PASTE_ENDS.length + 1)
    const text = (before + this.rest.slice(0, length)).slice(0, MOST_PASTED)
    this.rest = this.rest.slice(end >= 0 ? end + PASTE_ENDS.length : length)
    this.pasted = end >= 0 ? null : text
    return end >= 0 ? { type: 'paste', text } : null
  }
}

const ESC = '\u001b'

function firstCharacter(text: string): string {
  return String.fromCodePoint(text.codePointAt(0) ?? 0)
}
