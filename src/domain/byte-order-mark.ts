/** Some editors put it at the start of a UTF-8 file; it is not part of the text (Unicode standard, section 23.8). */
const MARK = '\uFEFF'

/** A text file's text without a byte order mark. */
export function withoutMark(text: string): string {
  return text.startsWith(MARK) ? text.slice(MARK.length) : text
}
