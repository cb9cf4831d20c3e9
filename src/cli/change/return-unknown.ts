import type { DiscoError } from '../../domain/errors.js'
import type { Palette } from '../terminal/color.js'
import { visible } from '../terminal/visible.js'

/** The remark on a removal whose return could not be watched for. */
export function returnUnknownLine({ message }: DiscoError, palette: Palette): string {
  return `${palette.yellow('!')} whether a registrar puts it back is not known: ${visible(message)}`
}
