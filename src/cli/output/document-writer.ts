import { jsonLine, prettyJsonLines } from '../terminal/visible.js'

/** Writes documents as text that is safe for a terminal. */
export interface DocumentWriter {
  /** Returns the lines of the single document of format `json`. */
  documentLines(document: object): Iterable<string>
  /** Returns the text of one of several documents, as in format `ndjson`. */
  line(document: object): string
  /**
   * Checks all documents of a list before the first is written.
   *
   * @throws DiscoError USAGE
   */
  check?(documents: readonly object[]): void
}

export const JSON_WRITER: DocumentWriter = { documentLines: prettyJsonLines, line: jsonLine }
