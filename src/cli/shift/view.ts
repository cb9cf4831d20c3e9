import type { Palette } from '../terminal/color.js'
import { renderTable } from '../terminal/table.js'
import { percent } from '../terminal/units.js'
import { markInReport, shellWord, visible } from '../terminal/visible.js'
import type { ShiftDoc } from './document.js'

/** What was set, a row for each endpoint, and how to undo it. */
export function renderShift(doc: ShiftDoc, palette: Palette): string {
  const { changes, end, dryRun, beforeRev, service } = doc
  const table = renderTable(
    changes,
    [
      { head: 'ADDRESS', text: ({ addr }) => addr },
      { head: 'VERSION', text: ({ version }) => version },
      { head: 'WEIGHT', align: 'right', text: ({ from, to }) => arrow(String(from), String(to)) },
      { head: 'SHARE', align: 'right', text: ({ share }) => arrow(percent(share.from), percent(share.to)) },
    ],
    palette,
  )
  const undo = dryRun || end !== 'done' ? [] : [`Undo: ${undoCommand(service, beforeRev)}`]
  return markInReport([headOf(doc, palette), table, ...undo].join('\n'))
}

export function undoCommand(service: string, beforeRev: string): string {
  return `disco shift ${shellWord(visible(service))} --undo --rev ${beforeRev}`
}

function headOf(doc: ShiftDoc, palette: Palette): string {
  const { service, rev, end, changes, beforeRev, parts } = doc
  const shares = parts.map(({ selection, share }) => {
    return `${visible(selection)} ${arrow(percent(share.from), percent(share.to))}`
  })
  const name = visible(service)
  const isSame = changes.every(({ from, to }) => from === to)
  switch (end) {
    case 'planned':
      return `${name} would be shifted: ${shares.join(', ')}`
    case 'undone':
      return isSame
        ? `${palette.yellow('!')} ${name} has the weights of rev ${beforeRev} already (rev ${rev})`
        : `${palette.green('✓')} ${name} has the weights of rev ${beforeRev} again (rev ${rev}, leases kept)`
    case 'back':
    case 'interrupted':
      return `${palette.yellow('!')} ${name} has the weights of rev ${beforeRev} again (rev ${rev}, leases kept)`
    case 'done':
      return isSame
        ? `${palette.green('✓')} ${name} has these shares already; nothing was written (rev ${rev})`
        : `${palette.green('✓')} ${name} ${shares.join(', ')} (rev ${rev}, leases kept)`
  }
}

function arrow(from: string, to: string): string {
  return from === to ? to : `${from} → ${to}`
}
