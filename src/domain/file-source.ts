/** Content that cannot be read again, such as standard input, with the name that messages give it. */
export interface ReadContent {
  readonly name: string
  readonly content: Buffer
}

/** A file by its path, read when it is needed and again when it may have changed; or content that was read already. */
export type FileSource = string | ReadContent

/** What messages call it. */
export function sourceName(source: FileSource): string {
  return typeof source === 'string' ? source : source.name
}
