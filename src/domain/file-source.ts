/** Content that cannot be read again, such as standard input, with its name in messages. */
export interface ReadContent {
  readonly name: string
  readonly content: Buffer
}

/** A file by its path, and the flag, variable or context that names it. */
export interface NamedFile {
  readonly path: string
  readonly source: string
}

/** A file, read when it is needed and again when it may have changed; or content that was read already. */
export type FileSource = string | NamedFile | ReadContent

/** The name in messages: of a file its path, with the flag, variable or context that names it. */
export function sourceName(source: FileSource): string {
  if (typeof source === 'string') return source
  return 'path' in source ? `${source.path} from ${source.source}` : source.name
}

/** The path of a file; null for content. */
export function pathOf(source: FileSource): string | null {
  if (typeof source === 'string') return source
  return 'path' in source ? source.path : null
}

/**
 * The byte order mark. Some editors put it at the start of a UTF-8 file; it is not part of the text (Unicode, 23.8).
 */
const MARK = '\uFEFF'

/** A text file's text without a byte order mark. */
export function withoutMark(text: string): string {
  return text.startsWith(MARK) ? text.slice(MARK.length) : text
}
