import type { Palette } from '../terminal/color.js'
import { renderTable } from '../terminal/table.js'
import { count, percent } from '../terminal/units.js'
import { markInReport, visible } from '../terminal/visible.js'
import type { ShiftDoc } from './document.js'

/** Formats a command to copy, with the flags that select the etcd cluster and the prefix of keys. */
export type CommandLine = (command: readonly string[]) => string

/** The weights and shares, a row for each endpoint, and the command that undoes the shift. */
export function renderShift(doc: ShiftDoc, palette: Palette, line: CommandLine): string {
  const { changes, end, dryRun } = doc
  const table = renderTable(
    changes,
    [
      { head: 'ADDRESS', text: ({ addr }) => addr },
      { head: 'VERSION', text: ({ version }) => version, dropOrder: 1 },
      { head: 'WEIGHT', align: 'right', text: ({ from, to }) => arrow(String(from), String(to)) },
      {
        head: 'SHARE',
        align: 'right',
        text: ({ share }) => arrow(shareText(share.from), shareText(share.to)),
      },
    ],
    palette,
  )
  const hasChanged = changes.some(({ from, to }) => from !== to)
  const isUndoable = !dryRun && end === 'done' && (hasChanged || doc.steps.length > 1)
  const undo = isUndoable ? [`Undo: ${visible(undoOf(doc, line))}`] : []
  return markInReport([headOf(doc, palette), table, ...undo].join('\n'))
}

/** The undo of a shift in steps names the revision before the first step; the undo of a single shift names none. */
function undoOf({ service, steps, beforeRev }: ShiftDoc, line: CommandLine): string {
  return steps.length > 0
    ? undoCommand(service, beforeRev, line)
    : line(['disco', 'shift', service, '--undo'])
}

export function undoCommand(service: string, beforeRev: string, line: CommandLine): string {
  return line(['disco', 'shift', service, '--undo', '--rev', beforeRev])
}

/** 0.0714 as `7.1%`. A positive share that rounds to 0.0% becomes `under 0.1%`. */
export function shareText(fraction: number): string {
  const text = percent(fraction)
  return fraction > 0 && text === percent(0) ? 'under 0.1%' : text
}

function headOf(doc: ShiftDoc, palette: Palette): string {
  const { service, rev, end, changes, beforeRev, parts, steps, leftOut, insteadOfZero } = doc
  const shares = parts.map(({ selection, share }) => {
    const planned = end === 'planned' ? steps.map((step) => shareText(step.share)) : []
    const to = planned.length > 0 ? planned.join(' → ') : shareText(share.to)
    return `${visible(selection)} ${arrow(shareText(share.from), to)}`
  })
  const others = leftOut.length === 0 ? '' : `, except for ${count(leftOut.length, 'endpoint')}`
  const but = insteadOfZero === null ? others : `, but with weight ${insteadOfZero} in place of 0`
  const name = visible(service)
  const isSame = changes.every(({ from, to }) => from === to)
  const [mark, holds] = doc.zeroIsDefault
    ? [palette.yellow('!'), ' (but not for clients that read weight 0 as their default weight)']
    : [palette.green('✓'), '']
  switch (end) {
    case 'planned':
      if (parts.length === 0) return `${name} would get the weights of rev ${beforeRev} again${but}`
      return `${name} would be shifted: ${shares.join(', ')}${holds}`
    case 'undone':
      return isSame
        ? `${palette.yellow('!')} ${name} has the weights of rev ${beforeRev} already${but} (rev ${rev})`
        : `${palette.green('✓')} ${name} has the weights of rev ${beforeRev} again${but} (rev ${rev}, leases kept)`
    case 'back':
    case 'interrupted':
      return isSame
        ? `${palette.yellow('!')} ${name} keeps the weights of rev ${beforeRev}${but} (rev ${rev})`
        : `${palette.yellow('!')} ${name} has the weights of rev ${beforeRev} again${but} (rev ${rev}, leases kept)`
    case 'done':
      return isSame
        ? `${mark} ${name} has these shares already${holds}; nothing was written (rev ${rev})`
        : `${mark} ${name} ${shares.join(', ')}${holds} (rev ${rev}, leases kept)`
  }
}

function arrow(from: string, to: string): string {
  return from === to ? to : `${from} → ${to}`
}
