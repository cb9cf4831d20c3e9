import type { DiscoError } from '../../domain/errors.js'
import type { Palette } from '../terminal/color.js'
import { visible } from '../terminal/visible.js'

/** The remark on a removal after which the return of the key could not be watched. */
export function returnUnknownLine({ message }: DiscoError, palette: Palette): string {
  return `${palette.yellow('!')} whether a registrar puts it back is not known: ${visible(message)}`
}
