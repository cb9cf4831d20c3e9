import { type Palette, paletteFor } from '../../src/cli/terminal/color.js'

export const plain = paletteFor({}, false, {})
/** The palette of a terminal of this width without colors. */
export function plainOf(columns: number): Palette {
  return paletteFor({ isTTY: true, columns }, false, {})
}

export const colored = paletteFor({}, true, { FORCE_COLOR: '1' })

const COLORS = /\u001b\[[0-9;]*m/g

export function withoutColors(text: string): string {
  return text.replace(COLORS, '')
}
