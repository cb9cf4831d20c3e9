/** Content that cannot be read again, such as standard input, with a name for messages. */
export interface ReadContent {
  readonly name: string
  readonly content: Buffer
}

/** The path of a file, and the flag, variable or context that gives the path. */
export interface NamedFile {
  readonly path: string
  readonly source: string
}

/** A file, which is read when needed and again when it may have changed; or content that was read already. */
export type FileSource = string | NamedFile | ReadContent

export function isNamedFile(value: unknown): value is NamedFile {
  return typeof value === 'object' && value !== null && 'path' in value && 'source' in value
}

/** The name for messages. For a file: its path and, if known, the flag, variable or context that gives the path. */
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
