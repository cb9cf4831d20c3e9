import { invalidValue } from '../../domain/errors.js'
import { didYouMean } from '../../domain/nearest.js'
import { type DocumentWriter, JSON_WRITER } from './document-writer.js'

/** The form of the output: a table, one document, a document per line, or names. */
export type OutputFormat = 'table' | 'wide' | 'json' | 'ndjson' | 'name'

/** Whether the output is a text for people, not data for programs. */
export function isForPeople(format: OutputFormat): boolean {
  return format === 'table' || format === 'wide'
}

/** The value of `-o`. */
export interface Output {
  readonly format: OutputFormat
  readonly writer: DocumentWriter
}

const FORMATS: readonly OutputFormat[] = ['table', 'wide', 'json', 'ndjson', 'name']

const TEMPLATE = 'template='

/** The values of `-o` except templates. */
export const OUTPUTS: readonly string[] = [...FORMATS, 'yaml']

/** Reads `-o`; the writers of YAML and templates are loaded only for them. @throws DiscoError USAGE */
export async function readOutput(text: string, flag: string): Promise<Output> {
  if (text === 'yaml') {
    const { YAML_WRITER } = await import('./yaml.js')
    return { format: 'json', writer: YAML_WRITER }
  }
  if (text.startsWith(TEMPLATE)) {
    const { templateWriter } = await import('./template.js')
    return { format: 'ndjson', writer: templateWriter(text.slice(TEMPLATE.length), `${flag} template`) }
  }
  const format = FORMATS.find((known) => known === text)
  if (format !== undefined) return { format, writer: JSON_WRITER }
  throw invalidValue(flag, text, `${OUTPUTS.join(', ')} or template=…`, didYouMean(text, OUTPUTS))
}
