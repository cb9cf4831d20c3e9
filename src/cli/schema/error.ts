import type { DiscoError, ErrorCode } from '../../domain/errors.js'

export interface ErrorDoc {
  readonly error: {
    readonly code: ErrorCode
    readonly message: string
    readonly hint: string
    readonly exit: number
  }
}

export function errorDoc({ code, message, suggestions, exit }: DiscoError): ErrorDoc {
  return { error: { code, message, hint: suggestions.join('\n'), exit } }
}

/** Looked up in the raw words: the command line may be what is wrong. */
export function wantsJson(argv: readonly string[]): boolean {
  const words = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined)
  return words.some(
    (word, at) =>
      ['--json', '-ojson', '--output=json', '-o=json'].includes(word) ||
      (['-o', '--output'].includes(word) && words[at + 1] === 'json'),
  )
}
