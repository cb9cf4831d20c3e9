/** Content that cannot be read again, such as standard input, with the name for messages. */
export interface ReadContent {
  readonly name: string
  readonly content: Buffer
}

/** A file by its path, read when needed and again when it may have changed; or content that was already read. */
export type FileSource = string | ReadContent

/** The name for messages. */
export function sourceName(source: FileSource): string {
  return typeof source === 'string' ? source : source.name
}
