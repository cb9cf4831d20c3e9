import { Flags } from '@oclif/core'
import { readBy } from './custom.js'

const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
}

/** On some machines a larger size does not fit into one buffer. */
const MOST_BYTES = 2 ** 31 - 1

/** Reads `4MiB`, `20MB`, `512KiB` or a bare number of bytes, up to 2 GiB. Undefined for any other text, and for 0. */
function readBytes(text: string): number | undefined {
  const [, amount, unit = 'B'] = /^(\d{1,10}(?:\.\d+)?)([kmg]?i?b)?$/i.exec(text) ?? []
  const bytes = Math.round(Number(amount) * (BYTES_PER_UNIT[unit.toUpperCase()] ?? Number.NaN))
  return bytes >= 1 && bytes <= MOST_BYTES ? bytes : undefined
}

/** A size as help shows it. */
function sizeText(bytes: number): string {
  return bytes < 2 ** 20 ? `${bytes / 2 ** 10}KiB` : `${bytes / 2 ** 20}MiB`
}

/** A size, in bytes. */
export const sizeFlag = Flags.custom<number>({
  helpValue: '<size>',
  defaultHelp: async ({ options }: { readonly options: { readonly default?: unknown } }) =>
    typeof options.default === 'number' ? sizeText(options.default) : undefined,
  parse: readBy(readBytes, 'a size from 1B to 2047MiB, such as 4MiB or 20MB'),
})
