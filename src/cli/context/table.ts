import type { Palette } from '../terminal/color.js'
import { type Column, renderTable } from '../terminal/table.js'
import type { ContextRow, ContextsDoc, SettingRow, SettingsDoc } from './document.js'

/** One line for each context; a dot marks the one in use. */
export function renderContexts({ contexts }: ContextsDoc, palette: Palette): string {
  const columns: Column<ContextRow>[] = [
    { head: '', text: ({ inUse }) => (inUse ? '●' : ''), paint: (_, text) => palette.green(text) },
    { head: 'CONTEXT', text: ({ name }) => name },
    { head: 'ENDPOINTS', text: ({ endpoints }) => endpoints.join(',') },
    { head: 'USER', text: ({ user }) => user ?? '' },
    { head: 'LAYOUT', text: ({ layout }) => layout ?? '' },
    { head: 'ROOT', text: ({ root }) => root ?? '' },
    { head: 'NOTE', text: ({ production }) => (production ? 'production' : '') },
  ]
  return renderTable(contexts, columns, palette)
}

/** One line for each setting, with its source. */
export function renderSettings({ settings }: SettingsDoc, palette: Palette): string {
  const columns: Column<SettingRow>[] = [
    { head: 'SETTING', text: ({ setting }) => setting },
    { head: 'VALUE', text: ({ value, source }) => value ?? (source === null ? 'none' : '(set)') },
    { head: 'SOURCE', text: ({ source }) => source ?? '' },
  ]
  return renderTable(settings, columns, palette)
}
