import type { Palette } from '../color.js'
import type { ServicesDoc } from '../schema/services.js'
import { renderTable } from './table.js'

export function renderServices({ services }: ServicesDoc, palette: Palette): string {
  return renderTable(
    services,
    [
      { head: 'SERVICE', text: ({ service }) => service },
      { head: 'VERSIONS', text: ({ versions }) => versions.join(', ') },
      { head: 'ENDPOINTS', align: 'right', text: ({ endpoints }) => String(endpoints) },
      { head: 'WEIGHT', align: 'right', text: ({ weight }) => String(weight) },
      {
        head: 'MIN TTL',
        align: 'right',
        text: ({ minTtlSeconds }) => (minTtlSeconds === null ? 'none' : `${minTtlSeconds}s`),
      },
      { head: 'LAYOUT', text: ({ layout }) => layout },
    ],
    palette,
  )
}
