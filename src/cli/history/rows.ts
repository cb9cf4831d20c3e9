import type { FieldChange } from '../../domain/endpoint-fields.js'
import { DEFAULT_LAYOUT } from '../../domain/layouts/index.js'
import { markInLog, markNames } from '../../domain/look-alike.js'
import { toAscii } from '../terminal/ascii.js'
import type { Palette } from '../terminal/color.js'
import { CHANGE_GLYPHS, type ChangeKind, paintedChange } from '../terminal/color.js'
import { fitColumns, type Yielding } from '../terminal/fit.js'
import { textWidth } from '../terminal/text-width.js'
import { visible } from '../terminal/visible.js'
import type { ChangeDoc } from './document.js'
import { timeText } from './time.js'

interface Column extends Yielding {
  readonly head: string
  readonly align?: 'right'
  readonly text: (change: ChangeDoc) => string
  readonly paint?: (change: ChangeDoc, text: string) => string
}

interface Looks {
  /** Whether to show the column SERVICE, as for several services. */
  readonly withService: boolean
  readonly wide: boolean
  readonly now: Date
}

const GAP = '  '

const LONGEST_CHANGE = '~ updated'

/**
 * Lays out changes as rows of a table, in batches. The whole table is never in memory, so a column is as wide as its
 * widest cell so far. The first batch decides which columns fit into the terminal.
 */
export class HistoryRows {
  private readonly mark = markInLog()
  private columns: readonly Column[]
  private readonly room: number
  private widths: readonly number[]
  private hasHead = false

  constructor(
    private readonly palette: Palette,
    { withService, wide, now }: Looks,
  ) {
    this.columns = [
      { head: 'REV', align: 'right', text: ({ rev }) => rev },
      { head: 'TIME', text: (change) => timeText(change, now) },
      {
        head: 'CHANGE',
        text: glyphAndType,
        paint: ({ type }, text) => paintedChange(KINDS[type], text, palette),
      },
      ...(withService ? [{ head: 'SERVICE', text: ({ service }: ChangeDoc) => this.name(service) }] : []),
      { head: 'ADDRESS', text: ({ addr }) => this.name(addr) },
      { head: 'VERSION', text: ({ version }) => this.name(version), dropOrder: 2 },
      { head: 'WHAT', text: (change) => visible(markNames(what(change), this.mark)) },
      { head: 'LEASE', text: ({ lease }) => (wide ? (lease ?? 'none') : leaseText(lease)), dropOrder: 1 },
      ...(wide ? [{ head: 'KEY', text: ({ key }: ChangeDoc) => this.name(key) }] : []),
    ]
    this.room = wide ? Number.POSITIVE_INFINITY : palette.columns
    // The widest type may come in a later batch.
    this.widths = this.columns.map(({ head }) => (head === 'CHANGE' ? LONGEST_CHANGE : head).length)
  }

  /** The rows of the next changes; the first call returns the head as well. */
  lines(changes: readonly ChangeDoc[]): string[] {
    this.widen(changes)
    if (!this.hasHead) this.fit()
    const heads = this.columns.map(({ head }) => head)
    const head = this.hasHead ? [] : [this.row(heads, (_, text) => this.palette.dim(text))]
    this.hasHead = true
    return [
      ...head,
      ...changes.map((change) => {
        const cells = this.columns.map((column) => this.cell(column, change))
        return this.row(cells, ({ paint }, text) => (paint ? paint(change, text) : text))
      }),
    ]
  }

  private widen(changes: readonly ChangeDoc[]): void {
    this.widths = this.columns.map((column, at) =>
      changes.reduce(
        (width, change) => Math.max(width, textWidth(this.cell(column, change))),
        this.widths[at] ?? 0,
      ),
    )
  }

  /** Leaves out columns for which the terminal has no room. */
  private fit(): void {
    const wide = this.columns.map(({ dropOrder }, at) => ({ dropOrder, width: this.widths[at] ?? 0 }))
    const kept = new Set(fitColumns(wide, this.room, GAP.length).map(({ at }) => at))
    this.columns = this.columns.filter((_, at) => kept.has(at))
    this.widths = this.widths.filter((_, at) => kept.has(at))
  }

  /** In the characters of the terminal: a replacement may be longer than the text. */
  private cell({ text }: Column, change: ChangeDoc): string {
    const cell = text(change)
    return this.palette.isAscii ? toAscii(cell) : cell
  }

  private row(cells: readonly string[], paint: (column: Column, text: string) => string): string {
    const padded = this.columns.map((column, at) => {
      const text = cells[at] ?? ''
      const padding = ' '.repeat(Math.max(0, (this.widths[at] ?? 0) - textWidth(text)))
      return column.align === 'right' ? padding + paint(column, text) : paint(column, text) + padding
    })
    return padded.join(GAP).trimEnd()
  }

  private name(name: string): string {
    return visible(this.mark(name))
  }
}

const KINDS: Readonly<Record<ChangeDoc['type'], ChangeKind>> = {
  added: 'added',
  weight: 'changed',
  updated: 'changed',
  gone: 'removed',
}

function glyphAndType({ type }: ChangeDoc): string {
  return `${CHANGE_GLYPHS[KINDS[type]]} ${type}`
}

function what(change: ChangeDoc): string {
  const layout = change.layout === DEFAULT_LAYOUT.name ? '' : `  (${change.layout})`
  switch (change.type) {
    case 'added':
      return `${change.problem ?? `weight ${change.weight}`}${layout}`
    case 'weight':
      return `${change.from} → ${change.to}${layout}`
    case 'updated':
      return `${change.fields.map(fieldText).join(', ') || 'written again, unchanged'}${layout}`
    case 'gone':
      return `reason ${change.reason}${layout}`
  }
}

/** A changed field, such as `zone a → b`. A text that is not empty has no quotes; other values are JSON. */
export function fieldText({ field, from, to }: FieldChange): string {
  const text =
    field === 'lease' ? (lease: unknown) => leaseText(lease === null ? null : String(lease)) : valueText
  return `${field} ${text(from)} → ${text(to)}`
}

function valueText(value: unknown): string {
  if (value === null) return 'none'
  return typeof value === 'string' && value !== '' ? value : JSON.stringify(value)
}

function leaseText(lease: string | null): string {
  return lease === null ? 'none' : `…${lease.slice(-4)}`
}
