import { DiscoError } from '../../domain/errors.js'

/** The part of oclif's parser output with the flags' values, and which of them are defaults. */
export interface Parsed {
  readonly flags: Readonly<Record<string, unknown>>
  readonly metadata: {
    readonly flags: Readonly<Record<string, { readonly setFromDefault?: boolean } | undefined>>
  }
}

/**
 * Refuses given flags that have no effect in this combination.
 *
 * @param names of the flags
 * @param when `without --probe`, or `with --undo`
 * @throws DiscoError USAGE
 */
export function refuseIdle({ flags, metadata }: Parsed, names: readonly string[], when: string): void {
  const idle = names.find((name) => flags[name] !== undefined && !metadata.flags[name]?.setFromDefault)
  if (idle !== undefined) throw new DiscoError('USAGE', `--${idle} has no effect ${when}`)
}
