import { Flags } from '@oclif/core'
import { readDurationMs } from '../../domain/duration.js'
import type { Revision } from '../../domain/endpoint.js'
import { readBy } from './custom.js'

/** The beginning of a part of history: a revision, or a time before now. */
export type Since =
  | { readonly kind: 'revision'; readonly revision: Revision }
  | { readonly kind: 'ago'; readonly ms: number; readonly text: string }

/** `--since 1042` or `--since 10m`: a bare number is a revision. */
export const sinceFlag = Flags.custom<Since>({
  helpValue: 'REV|10m',
  parse: readBy((text): Since | undefined => {
    if (/^\d{1,16}$/.test(text)) {
      const revision = Number(text)
      return Number.isSafeInteger(revision) ? { kind: 'revision', revision } : undefined
    }
    const ms = readDurationMs(text)
    return ms === undefined ? undefined : { kind: 'ago', ms, text }
  }, 'a revision, such as 1042, or a duration with its unit, such as 10m'),
})
