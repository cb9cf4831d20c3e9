/** One measured cost beside its aim. */
export interface Figure {
  readonly name: string
  /** In `unit`. Null for a figure that has none: it is there for comparison. */
  readonly aim: number | null
  /** Whether the aim is a minimum: of rates. */
  readonly isMinimum?: boolean
  readonly measured: number
  /** `×` for a ratio within the run, which carries over to another machine. */
  readonly unit: string
  /** How it was measured, or the spread. */
  readonly note?: string
}

export const FIGURE_HEADS =
  '| figure | aim | measured | measured to aim | met | note |\n|---|---|---|---|---|---|'

/** A line of a table under `FIGURE_HEADS`. */
export function figureLine({ name, aim, isMinimum = false, measured, unit, note = '' }: Figure): string {
  const amount = (value: number) => `${Number(value.toPrecision(3))}${unit === '×' ? '×' : ` ${unit}`}`
  if (aim === null) return `| ${name} | – | ${amount(measured)} | – | – | ${note} |`
  const isMet = isMinimum ? measured >= aim : measured <= aim
  const cells = [`${isMinimum ? '≥' : '≤'} ${amount(aim)}`, amount(measured), (measured / aim).toFixed(2)]
  return `| ${[name, ...cells, isMet ? 'yes' : 'no', note].join(' | ')} |`
}
