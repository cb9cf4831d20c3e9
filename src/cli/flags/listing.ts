import { Flags } from '@oclif/core'
import { DiscoError, invalidValue } from '../../domain/errors.js'
import { nameSuggestions } from '../../domain/nearest.js'
import { parsedBy, refuseEmpty } from './custom.js'

/** `--sort weight:desc`. */
export interface SortOrder {
  /** The name of a column. */
  readonly column: string
  readonly isDescending: boolean
}

/** The order and the columns of a list. */
export const listingFlags = {
  sort: Flags.custom<SortOrder>({ parse: parsedBy(readOrder) })({
    helpGroup: 'OUTPUT',
    helpValue: 'COLUMN[:desc]',
    description: 'order by a column, such as weight:desc, in every format',
  }),
  columns: Flags.custom<readonly string[]>({ parse: parsedBy(readColumns) })({
    helpGroup: 'OUTPUT',
    helpValue: 'COLUMN,…',
    description: 'columns of the table: their heads in lower case, such as address,weight,key',
  }),
  'no-headers': Flags.boolean({ helpGroup: 'OUTPUT', description: 'leave out the heads of the table' }),
}

function readOrder(text: string, flag: string): SortOrder {
  const [, column, order] = /^([\w-]+)(?::(asc|desc))?$/.exec(refuseEmpty(text, flag)) ?? []
  if (column === undefined) throw invalidValue(flag, text, 'a column, such as weight or weight:desc')
  return { column, isDescending: order === 'desc' }
}

function readColumns(text: string, flag: string): readonly string[] {
  const names = refuseEmpty(text, flag).split(',')
  if (names.includes(''))
    throw invalidValue(flag, text, 'names with commas between them, such as address,weight')
  return names
}

/** A value by which rows are sorted. Numbers within texts are compared by value; null comes last. */
export type SortValue = string | number | null

/**
 * Sorts rows by a column. Rows with equal values keep their order.
 *
 * @param order undefined to return the rows unchanged
 * @param values returns the value of a row, for each column that rows can be sorted by
 * @throws DiscoError USAGE for any other column
 */
export function inOrderOf<Row>(
  rows: readonly Row[],
  order: SortOrder | undefined,
  values: Readonly<Record<string, (row: Row) => SortValue>>,
): readonly Row[] {
  if (order === undefined) return rows
  const value = Object.hasOwn(values, order.column) ? values[order.column] : undefined
  if (value === undefined) throw unknownColumn('--sort', order.column, Object.keys(values))
  const sign = order.isDescending ? -1 : 1
  return rows
    .map((row) => ({ row, key: comparable(value(row)) }))
    .sort((a, b) => {
      if (a.key === null || b.key === null) return Number(a.key === null) - Number(b.key === null)
      return a.key < b.key ? -sign : a.key > b.key ? sign : 0
    })
    .map(({ row }) => row)
}

/** Pads numbers within a text, so that port 900 precedes 1000. */
function comparable(value: SortValue): SortValue {
  return typeof value === 'string' ? value.replaceAll(/\d+/g, (digits) => digits.padStart(12, '0')) : value
}

export function unknownColumn(flag: string, name: string, known: readonly string[]): DiscoError {
  return new DiscoError('USAGE', `Unknown column "${name}" from ${flag}`, {
    suggestions: nameSuggestions(name, known),
  })
}
