import type { DiscoError, ErrorCode } from './errors.js'

/** An error as scripts read it, from the command line under --json and from a registrar's HTTP handler. */
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
