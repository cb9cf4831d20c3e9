import { DiscoError } from '../domain/errors.js'

/** The values of the placeholders for one call. */
export interface TemplateValues {
  /** The number of the call; the first is 1. */
  readonly n: number
  uuid(): string
  /** The time in RFC 3339, which is the JSON form of google.protobuf.Timestamp. */
  now(): string
}

const FILLERS: Readonly<Record<string, (values: TemplateValues) => string>> = {
  n: ({ n }) => String(n),
  uuid: (values) => values.uuid(),
  now: (values) => values.now(),
}

const PLACEHOLDER = /\{\{\s*(\w*)\s*\}\}/

/** Whether a text has a placeholder, known or unknown. */
export function hasPlaceholder(text: string): boolean {
  return PLACEHOLDER.test(text)
}

/** A text with the placeholders `{{n}}`, `{{uuid}}` and `{{now}}`, which are replaced for each call. */
export class Template {
  private constructor(private readonly parts: readonly (string | ((values: TemplateValues) => string))[]) {}

  /**
   * @param where the place of the text, for the error: `the data`
   * @throws DiscoError USAGE for an unknown placeholder
   */
  static parse(text: string, where: string): Template {
    const parts = text.split(PLACEHOLDER).map((part, at) => {
      if (at % 2 === 0) return part
      const filler = Object.hasOwn(FILLERS, part) ? FILLERS[part] : undefined
      if (filler) return filler
      throw new DiscoError('USAGE', `Unknown placeholder {{${part}}} in ${where}`, {
        suggestions: [
          `Available: ${Object.keys(FILLERS)
            .map((name) => `{{${name}}}`)
            .join(', ')}. To send two braces in JSON: \\u007b\\u007b`,
        ],
      })
    })
    return new Template(parts)
  }

  /** Whether it has no placeholder, so that all calls get the same text. */
  get isConstant(): boolean {
    return this.parts.length === 1
  }

  fill(values: TemplateValues): string {
    return this.parts.map((part) => (typeof part === 'string' ? part : part(values))).join('')
  }
}
