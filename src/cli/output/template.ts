import Mustache from 'mustache'
import { DiscoError } from '../../domain/errors.js'
import { nameSuggestions } from '../../domain/nearest.js'
import { prettyJsonLines, visible } from '../terminal/visible.js'
import type { DocumentWriter } from './document-writer.js'

/** Mustache's kinds of tags that name a field of the document: `{{x}}`, `{{{x}}}`, `{{#x}}` and `{{^x}}`. */
const NAMING: ReadonlySet<string> = new Set(['name', '&', '#', '^'])

/**
 * Writes each document by a Mustache template (mustache(5)), such as `{{addr}} {{weight}}`. Objects are written as
 * JSON, and nothing is escaped as HTML.
 *
 * @throws DiscoError USAGE for a text that is not a template
 */
export function templateWriter(template: string, flag: string): DocumentWriter {
  const fields = fieldsIn(template, flag)
  const written = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value))
  return {
    documentLines: prettyJsonLines,
    line: (document) => {
      const text = Mustache.render(template, document, {}, { escape: written })
      return text.split('\n').map(visible).join('\n')
    },
    check: (documents) => {
      const known = new Set(documents.flatMap((document) => Object.keys(document)))
      const unknown = known.size > 0 ? fields.find((field) => !known.has(field)) : undefined
      if (unknown === undefined) return
      throw new DiscoError('USAGE', `${flag} has an unknown field: {{${unknown}}}`, {
        suggestions: nameSuggestions(unknown, [...known]),
      })
    },
  }
}

/** The fields that the template takes from the document itself, that is, outside of sections. */
function fieldsIn(template: string, flag: string): string[] {
  try {
    return Mustache.parse(template).flatMap(([kind, name = '']) =>
      NAMING.has(kind) && name !== '.' ? [name.split('.')[0] ?? ''] : [],
    )
  } catch (cause) {
    throw new DiscoError('USAGE', `${flag} is invalid: a tag is open, or a section has no end`, {
      suggestions: [`Such as: -o template='{{addr}} {{weight}}'`],
      cause,
    })
  }
}
