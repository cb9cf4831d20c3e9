import type { Palette } from '../terminal/color.js'
import { type Column, renderTable } from '../terminal/table.js'
import type { ContextRow, ContextsDoc, SettingRow, SettingsDoc } from './document.js'

/** One line for each context; a dot marks the one in use. */
export function renderContexts({ contexts }: ContextsDoc, palette: Palette): string {
  const columns: Column<ContextRow>[] = [
    { head: '', text: ({ inUse }) => (inUse ? '●' : ''), paint: (_, text) => palette.green(text) },
    { head: 'CONTEXT', text: ({ name }) => name },
    { head: 'ENDPOINTS', text: ({ endpoints }) => endpoints.join(','), wraps: true },
    { head: 'USER', text: ({ user }) => user ?? '', dropOrder: 3 },
    { head: 'LAYOUT', text: ({ layout }) => layout ?? '', dropOrder: 1 },
    { head: 'ROOT', text: ({ root }) => root ?? '', dropOrder: 2 },
    { head: 'NOTE', text: ({ production }) => (production ? 'production' : '') },
  ]
  const legend =
    palette.isTerminal && contexts.some(({ inUse }) => inUse) ? `\n${palette.dim('● in use')}` : ''
  return renderTable(contexts, columns, palette) + legend
}

/** One line for each setting, with its source. */
export function renderSettings({ settings }: SettingsDoc, palette: Palette): string {
  const columns: Column<SettingRow>[] = [
    { head: 'SETTING', text: ({ setting }) => setting },
    {
      head: 'VALUE',
      text: ({ value, source }) => value ?? (source === null ? 'none' : '(set)'),
      wraps: true,
    },
    { head: 'SOURCE', text: ({ source }) => source ?? '', wraps: true },
  ]
  return renderTable(settings, columns, palette)
}
