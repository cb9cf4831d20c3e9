import { Flags, type Interfaces } from '@oclif/core'
import { readDurationMs } from '../../domain/duration.js'
import type { Revision } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import type { BaseFlags } from './base.js'
import { integerFlag, type ParsedFlags, readBy, refuseIneffective } from './custom.js'

/** Where a part of the history begins: at a revision, or `ms` milliseconds ago. */
export type Since =
  | { readonly kind: 'revision'; readonly revision: Revision }
  | { readonly kind: 'ago'; readonly ms: number; readonly text: string }

/** `--rev`: a look at an earlier state. */
export const revFlag = {
  rev: integerFlag({
    min: 1,
    helpValue: 'REV',
    description: 'as of this revision, if etcd still has it; see disco history',
  }),
}

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

/**
 * Refuses flags that cannot be combined with --rev.
 *
 * @param names the flags about the present state
 * @throws DiscoError USAGE
 */
export function refuseBesideRev(
  parsed: ParsedFlags & {
    readonly flags: Pick<BaseFlags, 'context'> & Interfaces.InferredFlags<typeof revFlag>
  },
  names: readonly string[],
): void {
  if (parsed.flags.rev === undefined) return
  refuseIneffective(parsed, names, 'with --rev, which looks at the past')
  const { context } = parsed.flags
  if (!context?.origins) return
  throw new DiscoError('USAGE', `--rev is a revision of one cluster, and -C names several: ${context.text}`)
}
