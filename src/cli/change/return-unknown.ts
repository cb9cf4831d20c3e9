import type { DiscoError } from '../../domain/errors.js'
import type { Palette } from '../terminal/color.js'
import { visible } from '../terminal/visible.js'

/** The remark about a removal without a check whether the key returned. */
export function returnUnknownLine({ message }: DiscoError, palette: Palette): string {
  return `${palette.yellow('!')} whether a registrar puts it back is not known: ${visible(message)}`
}
