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

/** The maximum size: on some machines, a larger one does not fit into a buffer. */
const MAX_BYTES = 2 ** 31 - 1

/** Reads `4MiB`, `20MB`, `512KiB` or a bare number of bytes. Undefined for any other text, and outside of the range. */
function readBytes(text: string, min: number, max: number): number | undefined {
  const [, amount, unit = 'B'] = /^(\d{1,10}(?:\.\d+)?)([kmg]?i?b)?$/i.exec(text) ?? []
  const bytes = Math.round(Number(amount) * (BYTES_PER_UNIT[unit.toUpperCase()] ?? Number.NaN))
  return bytes >= min && bytes <= max ? bytes : undefined
}

/** Formats a size for help and messages. */
function sizeText(bytes: number): string {
  if (bytes < 2 ** 10) return `${bytes}B`
  return bytes < 2 ** 20 ? `${bytes / 2 ** 10}KiB` : `${bytes / 2 ** 20}MiB`
}

const EXAMPLE_BYTES = 20e6

/** A size in bytes. `min` is 1 by default, `max` 2 GiB - 1. */
export const sizeFlag = Flags.custom<number, { min?: number; max?: number }>({
  helpValue: '<size>',
  defaultHelp: async ({ options }: { readonly options: { readonly default?: unknown } }) =>
    typeof options.default === 'number' ? sizeText(options.default) : undefined,
  parse: (text, context, options) => {
    const { min = 1, max = MAX_BYTES } = options
    const most = sizeText(Math.floor(max / 2 ** 20) * 2 ** 20)
    const examples = max < EXAMPLE_BYTES ? '64KiB' : '4MiB or 20MB'
    const expected = `a size from ${sizeText(min)} to ${most}, such as ${examples}`
    return readBy((word) => readBytes(word, min, max), expected)(text, context, options)
  },
})
