/**
 * Cyrillic, Greek and other letters that fonts draw like a Latin one: those of the Unicode consortium's
 * confusables.txt (UTS #39) that do not need an unusual font.
 */
const LOOKS_LIKE: Readonly<Record<string, string>> = {
  // Cyrillic.
  ...pairs(
    '\u0430\u0441\u0501\u0435\u04bb\u0456\u0458\u04cf\u043e\u0440\u051b\u0455\u051d\u0445\u0443',
    'acdehijlopqswxy',
  ),
  ...pairs(
    '\u0410\u0412\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0405\u0422\u0425\u0421',
    'ABEHIJKMOPSTXC',
  ),
  // Greek.
  ...pairs('\u03b1\u03bf\u03c1\u03bd\u03b9\u03c5', 'aopviu'),
  ...pairs(
    '\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7',
    'ABEZHIKMNOPTYX',
  ),
  // Latin letters of other languages, hyphens and a dot.
  ...pairs('\u0131\u0261\u0251\u2010\u2011\u2012\u2013\u2212\u2024', 'iga-----.'),
}

function pairs(like: string, latin: string): Record<string, string> {
  return Object.fromEntries([...like].map((character, at) => [character, [...latin][at] ?? '']))
}

const ASCII = /^[ -~]*$/
const NOT_ASCII = /[^ -~]/g

/** Visual form of a name: equal for two names that look the same to a reader. */
export function appearanceOf(name: string): string {
  if (ASCII.test(name)) return name
  return [...name.normalize('NFKC')].map((character) => LOOKS_LIKE[character] ?? character).join('')
}

/** A set of names that can be asked whether another name in it looks the same as a given one. */
class NamesByAppearance {
  /** The name with each visual form; null if several names have it. */
  private readonly byAppearance = new Map<string, string | null>()

  add(name: string): void {
    const appearance = appearanceOf(name)
    const known = this.byAppearance.get(appearance)
    if (known === undefined) this.byAppearance.set(appearance, name)
    else if (known !== name) this.byAppearance.set(appearance, null)
  }

  hasAnotherLike(name: string): boolean {
    return this.byAppearance.get(appearanceOf(name)) === null
  }
}

/**
 * Marks names that look the same as another name of a list: their characters outside ASCII are shown as codes. Other
 * names stay unchanged.
 */
export function markLookAlikes(names: Iterable<string>): (name: string) => string {
  const known = [...names]
  // Two names in plain ASCII are visibly different.
  if (known.every((name) => ASCII.test(name))) return (name) => name
  const all = new NamesByAppearance()
  for (const name of known) all.add(name)
  return (name) => (all.hasAnotherLike(name) ? withCodes(name) : name)
}

/**
 * Marks names in a log, in which earlier lines cannot be changed when a look-alike appears: a name that looks like
 * plain ASCII is marked at once, any other name when it looks the same as an earlier one.
 */
export function markInLog(): (name: string) => string {
  const before = new NamesByAppearance()
  return (name) => {
    if (ASCII.test(name)) return name
    before.add(name)
    return ASCII.test(appearanceOf(name)) || before.hasAnotherLike(name) ? withCodes(name) : name
  }
}

/**
 * A possible name within a text: letters, digits, hyphens, and characters that look like a hyphen or a dot, with dots
 * in between. Uses one character class, so that a long text takes linear time.
 */
const NAME_IN_TEXT =
  /[\p{L}\p{M}\p{N}_\-\u2010-\u2013\u2212\u2024]+(?:\.[\p{L}\p{M}\p{N}_\-\u2010-\u2013\u2212\u2024]+)*/gu

/** A dash alone is not a name. */
const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u

function namesIn(text: string): string[] {
  return (text.match(NAME_IN_TEXT) ?? []).filter((name) => LETTER_OR_DIGIT.test(name))
}

/**
 * Matches a text that may contain a name to mark: it has a letter or digit outside ASCII, or a look-alike of a hyphen
 * or dot beside a letter or digit. The bars and dashes of most tables do not match.
 */
const HAS_MARKABLE_NAME =
  /(?![ -~])[\p{L}\p{M}\p{N}]|[\p{L}\p{N}][\u2010-\u2013\u2212\u2024]|[\u2010-\u2013\u2212\u2024][\p{L}\p{N}]/u

/** Marks names in texts that are shown together, such as a message and its suggestions. */
export function markInTexts(texts: readonly string[]): string[] {
  if (!texts.some(hasMarkableName)) return [...texts]
  const mark = markLookAlikes(texts.flatMap(namesIn))
  return texts.map((text) => markNames(text, mark))
}

/**
 * Marks names in the texts of an error. Most errors contain only the name that was not found, without the name that it
 * resembles. As in a log, a name is marked if it looks like plain ASCII.
 */
export function markInError(texts: readonly string[]): string[] {
  if (!texts.some(hasMarkableName)) return [...texts]
  const mark = markLookAlikes(texts.flatMap(namesIn))
  const like = (name: string) => (ASCII.test(appearanceOf(name)) ? withCodes(name) : mark(name))
  return texts.map((text) => markNames(text, like))
}

/** Marks names in the cells of a table: a whole cell is also a name, since names may contain other characters. */
export function markInCells(columns: readonly (readonly string[])[]): (cell: string) => string {
  if (!columns.some((cells) => cells.some(hasMarkableName))) return (cell) => cell
  const all = new NamesByAppearance()
  for (const cell of columns.flat()) {
    const names = namesIn(cell)
    if (names.length > 0) for (const name of [cell, ...names]) all.add(name)
  }
  const mark = (name: string) => (all.hasAnotherLike(name) ? withCodes(name) : name)
  return (cell) => (!ASCII.test(cell) && all.hasAnotherLike(cell) ? withCodes(cell) : markNames(cell, mark))
}

function hasMarkableName(text: string): boolean {
  return !ASCII.test(text) && HAS_MARKABLE_NAME.test(text)
}

/** Replaces each name of a text by `mark(name)`. */
export function markNames(text: string, mark: (name: string) => string): string {
  if (!hasMarkableName(text)) return text
  return text.replace(NAME_IN_TEXT, (name) => (LETTER_OR_DIGIT.test(name) ? mark(name) : name))
}

function withCodes(name: string): string {
  return name.replace(NOT_ASCII, asCode)
}

function asCode(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
