import type { SortValue } from '../flags/listing.js'
import type { EndpointDoc } from './document.js'

/** The values of `--sort`, by the names of columns. */
export const ENDPOINT_VALUES: Readonly<Record<string, (endpoint: EndpointDoc) => SortValue>> = {
  address: ({ addr }) => addr,
  version: ({ version }) => version,
  weight: ({ weight }) => weight,
  share: ({ share }) => share,
  ready: ({ ready }) => (ready === null ? null : Number(ready)),
  ttl: ({ ttlSeconds }) => ttlSeconds,
  lease: ({ lease }) => lease,
  rev: ({ modRevision }) => modRevision,
  created: ({ createRevision }) => createRevision,
  layout: ({ layout }) => layout,
  key: ({ key }) => key,
  registry: ({ registry }) => registry ?? null,
}
