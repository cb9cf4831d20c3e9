import type { Palette } from '../terminal/color.js'
import { type Column, renderTable } from '../terminal/table.js'
import type { LayoutDoc, LayoutsDoc } from './document.js'

/** One line for each layout: counts of services and endpoints, TTL, form of the keys, and what the layout supports. */
export function renderLayouts({ layouts }: LayoutsDoc, palette: Palette, wide: boolean): string {
  const columns: Column<LayoutDoc>[] = [
    { head: '', text: (row) => (row.keys ? '●' : ''), paint: (_, text) => palette.green(text) },
    { head: 'LAYOUT', text: ({ name }) => name },
    {
      head: 'SERVICES',
      align: 'right',
      text: ({ services, configuration }) => number(services, configuration),
    },
    {
      head: 'ENDPOINTS',
      align: 'right',
      text: ({ endpoints, configuration }) => number(endpoints, configuration),
    },
    {
      head: 'TTL',
      dropOrder: 4,
      align: 'right',
      text: ({ ttlSeconds }) => (ttlSeconds === null ? 'none' : `${ttlSeconds}s`),
    },
    { head: 'WEIGHT', text: ({ carriesWeight }) => (carriesWeight ? 'yes' : 'no'), dropOrder: 3 },
    { head: 'WRITTEN', text: ({ writable }) => (writable ? 'yes' : 'no'), dropOrder: 2 },
    { head: 'KEYS', text: ({ keyForm }) => keyForm, dropOrder: 1 },
    ...(wide ? [{ head: 'WHY NOT', text: ({ reasons }: LayoutDoc) => reasons.join('; ') }] : []),
    { head: 'NOTE', text: note, wraps: true },
  ]
  const legend = palette.isTerminal ? `\n${palette.dim('● has keys here')}` : ''
  return renderTable(layouts, columns, palette) + legend
}

function number(count: number | null, isConfiguration: boolean): string {
  return count === null || isConfiguration ? '–' : String(count)
}

function note({ configuration, keys }: LayoutDoc): string {
  if (!configuration) return ''
  return keys ? `configuration: ${keys} keys, left alone` : 'configuration'
}
