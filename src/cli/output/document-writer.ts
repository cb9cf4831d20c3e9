import { jsonLine, prettyJsonLines } from '../terminal/visible.js'

/** Writes documents as text that is safe for a terminal. */
export interface DocumentWriter {
  /** The lines of the only document, of format `json`. */
  documentLines(document: object): Iterable<string>
  /** One of several documents: its line in format `ndjson`, or one of those that a command prints as they come. */
  line(document: object): string
  /**
   * Looks at all documents of a list before the first is written.
   *
   * @throws DiscoError USAGE
   */
  check?(documents: readonly object[]): void
}

export const JSON_WRITER: DocumentWriter = { documentLines: prettyJsonLines, line: jsonLine }
