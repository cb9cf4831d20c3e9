import type { DifferentField } from '../../domain/registry-diff.js'
import { fieldText } from '../history/rows.js'
import type { Palette } from '../terminal/color.js'
import { CHANGE_GLYPHS, paintedChange } from '../terminal/color.js'
import { type Column, renderTable } from '../terminal/table.js'
import { count } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'
import type { DiffDoc, DifferenceDoc, SideDoc, StateEndpointDoc } from './document.js'

/** The two states on lines with `---` and `+++`, as in a diff of files, and a row for each endpoint that differs. */
export function renderDiff(doc: DiffDoc, palette: Palette): string {
  const { from, to, differences } = doc
  if (doc.equal) return `${palette.green('=')} equal: ${sideText(from)} and ${sideText(to)}`
  const columns: Column<DifferenceDoc>[] = [
    {
      head: '',
      text: ({ type }) => CHANGE_GLYPHS[type],
      paint: ({ type }, text) => paintedChange(type, text, palette),
    },
    ...(doc.service === null ? [{ head: 'SERVICE', text: ({ service }: DifferenceDoc) => service }] : []),
    { head: 'ADDRESS', text: ({ addr, from, to }) => addr || (to ?? from)?.key || '' },
    { head: 'VERSION', text: ({ version }) => version },
    { head: 'CHANGE', text: changeText },
  ]
  return [
    palette.red(`--- ${sideText(from)}`),
    palette.green(`+++ ${sideText(to)}`),
    renderTable(differences, columns, palette),
  ].join('\n')
}

/** `2 added, 1 changed`. */
export function summaryText({ differences }: DiffDoc): string {
  const types = ['added', 'removed', 'changed'] as const
  const counts = types.map((type) => [differences.filter((one) => one.type === type).length, type] as const)
  const parts = counts.filter(([number]) => number > 0).map(([number, type]) => `${number} ${type}`)
  return `${count(differences.length, 'difference')}: ${parts.join(', ')}`
}

function sideText({ source, name, rev, root }: SideDoc): string {
  const at = rev === null ? '' : `rev ${rev}`
  const under = root === '' ? '' : `root ${root}`
  const what = source === 'registry' ? '' : `${source} ${name}`
  return visible([what, under, at].filter((part) => part !== '').join(', ') || 'registry')
}

function changeText({ type, from, to, fields }: DifferenceDoc): string {
  if (type === 'changed') return fields.map(differentText).join(', ')
  const state = type === 'added' ? to : from
  return state === null ? '' : stateText(state)
}

function stateText({ weight, layout, problem }: StateEndpointDoc): string {
  return `${problem ?? (weight === null ? 'no weight' : `weight ${weight}`)} (${layout})`
}

function differentText(field: DifferentField): string {
  const { notCarriedBy } = field
  return notCarriedBy === undefined ? fieldText(field) : `${fieldText(field)} (${notCarriedBy} carries none)`
}
