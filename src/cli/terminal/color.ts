import { Chalk, type ChalkInstance } from 'chalk'

export type Palette = ChalkInstance

/** Leaves all texts unchanged. */
export const uncolored: Palette = new Chalk({ level: 0 })

/** Colours for one stream: stdout and stderr are treated separately, since either may be a file. */
export function paletteFor(
  stream: { readonly isTTY?: boolean },
  wanted: boolean,
  env: Readonly<Record<string, string | undefined>>,
): Palette {
  return new Chalk({ level: wanted && isColored(stream, env) ? 1 : 0 })
}

function isColored(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR !== undefined) return !['0', 'false'].includes(env.FORCE_COLOR)
  return stream.isTTY === true && env.TERM !== 'dumb'
}
