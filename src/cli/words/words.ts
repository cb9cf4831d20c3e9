/** The part of a flag's definition that parsing needs; oclif's classes and the build's manifest share it. */
export interface FlagDefinition {
  readonly type: 'boolean' | 'option'
  readonly char?: string | undefined
  readonly allowNo?: boolean | undefined
  readonly multiple?: boolean | undefined
}

export type FlagDefinitions = Readonly<Record<string, FlagDefinition>>

/** A word of the command line; a flag includes the word with its value. */
export type Word = {
  /** The index of the next word. */
  readonly end: number
} & (
  | { readonly kind: 'argument'; readonly text: string }
  /** An undefined flag. `written` omits the `=…` that follows, which may be a secret. */
  | { readonly kind: 'unknown'; readonly written: string }
  | {
      readonly kind: 'flag'
      readonly name: string
      /** The flag as it was written: `--n`, `-n` or `--no-color`. */
      readonly written: string
      /** Undefined without a value: a switch, or a flag at the end or before another flag. */
      readonly value: string | undefined
    }
)

/**
 * Distinguishes flags, their values and arguments by the rules of oclif's parser, which does the real parsing. Used
 * before parsing, or after it failed: to find the command, and a flag without its value.
 *
 * @param own the words before `--`
 */
export function* readWords(own: readonly string[], flags: FlagDefinitions): Generator<Word, void, void> {
  const rest = [...own]
  for (let text = rest.shift(); text !== undefined; text = rest.shift()) {
    if (!isFlagLike(text)) {
      yield { kind: 'argument', text, end: own.length - rest.length }
      continue
    }
    const { written, attached } = splitFlag(text)
    const name = nameOf(written, flags)
    if (name === null) {
      yield { kind: 'unknown', written, end: own.length - rest.length }
      continue
    }
    let value = attached?.replace(/^=/, '')
    if (flags[name]?.type === 'boolean') {
      // `-vd` is `-v -d`; nothing can be attached to `--verbose`.
      if (attached !== undefined && !attached.startsWith('=')) {
        rest.unshift(`-${attached}`)
        value = undefined
      }
    } else if (value === undefined && rest[0] !== undefined && !isFlagOf(rest[0], flags)) {
      value = rest.shift()
    }
    yield { kind: 'flag', name, written, value, end: own.length - rest.length }
  }
}

/** `-1` and `-` are arguments. */
function isFlagLike(text: string): boolean {
  return /^-[^\d]/.test(text)
}

function splitFlag(text: string): { written: string; attached: string | undefined } {
  const end = text.startsWith('--') ? text.indexOf('=') : 2
  const isBare = end < 0 || text.length <= end
  return isBare
    ? { written: text, attached: undefined }
    : { written: text.slice(0, end), attached: text.slice(end) }
}

function isFlagOf(text: string, flags: FlagDefinitions): boolean {
  return isFlagLike(text) && nameOf(splitFlag(text).written, flags) !== null
}

function nameOf(written: string, flags: FlagDefinitions): string | null {
  if (!written.startsWith('--')) {
    const [name] = Object.entries(flags).find(([, { char }]) => char === written.slice(1)) ?? []
    return name ?? null
  }
  const name = written.slice(2)
  if (Object.hasOwn(flags, name)) return name
  const negated = name.startsWith('no-') ? name.slice(3) : ''
  return Object.hasOwn(flags, negated) && flags[negated]?.allowNo ? negated : null
}

/** The words before and after the first `--`, which oclif drops. */
export function splitCommand(argv: readonly string[]): { own: string[]; command: string[] } {
  const at = argv.indexOf('--')
  return at < 0 ? { own: [...argv], command: [] } : { own: argv.slice(0, at), command: argv.slice(at + 1) }
}

/** Whether errors are printed as JSON. Reads the raw words, because parsing may have failed. */
export function wantsJson(argv: readonly string[]): boolean {
  const words = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined)
  return words.some(
    (word, at) =>
      ['--json', '-ojson', '--output=json', '-o=json'].includes(word) ||
      (['-o', '--output'].includes(word) && words[at + 1] === 'json'),
  )
}
