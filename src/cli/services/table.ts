import type { SortValue } from '../flags/listing.js'
import type { Palette } from '../terminal/color.js'
import { type Column, renderTable, type TableChoice } from '../terminal/table.js'
import type { ServiceDoc, ServicesDoc } from './document.js'

/** The values of `--sort`, by the names of columns. */
export const SERVICE_VALUES: Readonly<Record<string, (service: ServiceDoc) => SortValue>> = {
  service: ({ service }) => service,
  versions: ({ versions }) => versions.join(),
  endpoints: ({ endpoints }) => endpoints,
  ready: ({ ready }) => ready,
  weight: ({ weight }) => weight,
  'min-ttl': ({ minTtlSeconds }) => minTtlSeconds,
  layout: ({ layout }) => layout,
  registry: ({ registry }) => registry ?? null,
}

export function renderServices(
  { services, ttlsAsked }: ServicesDoc,
  palette: Palette,
  choice?: TableChoice,
): string {
  const isProbed = services.some(({ ready }) => ready !== null)
  const ready: Column<ServiceDoc> = {
    head: 'READY',
    align: 'right',
    text: ({ ready, endpoints }) => `${ready ?? 0}/${endpoints}`,
    paint: ({ ready, endpoints }, text) => (ready === endpoints ? text : palette.red(text)),
  }
  const minTtl: Column<ServiceDoc> = {
    head: 'MIN TTL',
    dropOrder: 2,
    align: 'right',
    text: ({ minTtlSeconds }) => (minTtlSeconds === null ? 'none' : `${minTtlSeconds}s`),
  }
  return renderTable(
    services,
    [
      ...(services.some(({ registry }) => registry !== undefined)
        ? [{ head: 'REGISTRY', text: ({ registry = '' }: ServiceDoc) => registry }]
        : []),
      { head: 'SERVICE', text: ({ service }) => service },
      { head: 'VERSIONS', text: ({ versions }) => versions.join(', '), wraps: true },
      { head: 'ENDPOINTS', align: 'right', text: ({ endpoints }) => String(endpoints) },
      ...(isProbed ? [ready] : []),
      { head: 'WEIGHT', align: 'right', text: ({ weight }) => String(weight), dropOrder: 3 },
      ...(ttlsAsked ? [minTtl] : []),
      { head: 'LAYOUT', text: ({ layout }) => layout, dropOrder: 1 },
    ],
    palette,
    choice,
  )
}
