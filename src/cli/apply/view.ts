import { shownKey } from '../../domain/key-text.js'
import type { Palette } from '../terminal/color.js'
import { CHANGE_GLYPHS, type ChangeKind, paintedChange } from '../terminal/color.js'
import { count } from '../terminal/units.js'
import { markInReport, visible } from '../terminal/visible.js'
import type { ApplyChangeDoc, ApplyDoc } from './document.js'

/**
 * The planned changes, one per line, and a last line with their counts.
 *
 * @param leased describes the lease of an added key, such as `ttl 60s`
 */
export function renderPlan(doc: ApplyDoc, leased: string, palette: Palette): string {
  const lines = doc.changes.map((change) => planLine(change, leased, palette))
  return markInReport([...lines, ...leftLines(doc), planned(doc)].join('\n'))
}

const KINDS: Readonly<Record<ApplyChangeDoc['op'], ChangeKind>> = {
  add: 'added',
  update: 'changed',
  remove: 'removed',
}

/** `+ hello 10.0.0.1:1001 (1.0.0) weight 1, ttl 60s`. */
function planLine(change: ApplyChangeDoc, leased: string, palette: Palette): string {
  const { op, version } = change
  const kind = KINDS[op]
  const mark = paintedChange(kind, CHANGE_GLYPHS[kind], palette)
  const facts = [weightText(change), ...(change.otherFields ? ['other fields'] : [])]
  if (op === 'add' && change.leased) facts.push(leased)
  const details = facts.filter((fact) => fact !== '').join(', ')
  const name = registrationText(change) + (version === '' ? '' : ` (${visible(version)})`)
  return `${mark} ${name}${details === '' ? '' : `  ${details}`}`
}

function weightText({ op, weight: { from, to } }: ApplyChangeDoc): string {
  if (op === 'update') return from === to ? '' : `weight ${from ?? 'unreadable'} → ${to}`
  const weight = op === 'add' ? to : from
  return weight === null ? '' : `weight ${weight}`
}

/** `hello 10.0.0.1:1001`, with ` [LAYOUT]` for any layout but the default. */
function registrationText({ service, addrs, layout }: ApplyChangeDoc): string {
  const shown = `${visible(service)} ${visible(addrs.join(', '))}`
  return layout === 'seed' ? shown : `${shown} [${layout}]`
}

function leftLines({ left }: ApplyDoc): string[] {
  return left.map(({ key, reason }) => {
    const why = reason === 'leased' ? 'a lease holds it: --force removes it' : 'it cannot be read'
    return `  ${visible(shownKey(key))} stays: ${why}`
  })
}

function planned({ changes, same, planRev, file }: ApplyDoc): string {
  const parts = countsOf(changes, { add: 'to add', update: 'to change', remove: 'to remove' })
  if (parts.length === 0) return `${visible(file)}: ${count(same, 'key')} as in the file (rev ${planRev})`
  return `${visible(file)}: ${parts.join(', ')}, ${same} as in the file (rev ${planRev})`
}

/** `1 to add, 2 to change`. */
export function countsOf(
  changes: readonly ApplyChangeDoc[],
  words: Readonly<Record<ApplyChangeDoc['op'], string>>,
): string[] {
  return (['add', 'update', 'remove'] as const).flatMap((op) => {
    const number = changes.filter((change) => change.op === op).length
    return number === 0 ? [] : [`${number} ${words[op]}`]
  })
}

/** The keys that were not written because other clients have changed them, and a last line with the counts. */
export function renderApplied(doc: ApplyDoc, palette: Palette): string {
  const { changes, rev, end } = doc
  const moved = changes.filter((change) => change.end === 'moved')
  const lines = moved.map(
    (change) =>
      `${palette.yellow('!')} ${registrationText(change)} was changed by another client since the plan: left as it is`,
  )
  const written = changes.filter((change) => change.end === 'done')
  const parts = countsOf(written, { add: 'added', update: 'changed', remove: 'removed' })
  // Another client has made these changes since the plan.
  const already = changes.filter((change) => change.end === 'already').length
  const done = [
    ...(parts.length === 0 ? ['nothing was written'] : parts),
    ...(already > 0 ? [`${already} already as in the file`] : []),
  ].join(', ')
  const open = changes.filter((change) => change.end === 'open').length
  const rest = open > 0 ? [`${open} not done: repeat the command to finish`] : []
  const mark = end === 'done' ? palette.green('✓') : palette.yellow('!')
  const again = moved.length > 0 ? ['repeat the command for a new plan'] : []
  return markInReport([...lines, `${mark} ${[done, ...rest, ...again].join('; ')} (rev ${rev})`].join('\n'))
}
