import type { EndpointRecord } from '../endpoint.js'
import { DiscoError } from '../errors.js'
import type { EndpointRecords, Layout } from './layout.js'

/** A registration in a registry file: its fields without `extra`, which only its layout knows. */
export interface Stated {
  /** Their metadata omits the weight if the layout stores it there. */
  readonly records: EndpointRecords
  /** Whether the layout writes the same key and the same bytes from these fields alone. */
  readonly isWhole: boolean
}

/**
 * The fields of a stored registration for a registry file.
 *
 * @param records as `layout` decodes them from key and value
 */
export function statedBy(
  layout: Layout,
  { key, value, records }: { key: string; value: Uint8Array; records: EndpointRecords },
): Stated {
  const hidesWeight = storesWeightInMetadata(layout, { key, value, records })
  const [first, ...rest] = records
  const stated: EndpointRecords = [
    fieldsOf(first, hidesWeight),
    ...rest.map((record) => fieldsOf(record, hidesWeight)),
  ]
  return { records: stated, isWhole: writes(layout, stated, { key, value }) }
}

function fieldsOf(record: EndpointRecord, hidesWeight: boolean): EndpointRecord {
  const { service, version, addr, weight, id, metadata: stored } = record
  const { weight: _weight, ...others } = stored
  const metadata = hidesWeight ? others : stored
  return { service, version, addr, weight, metadata, ...(id === undefined ? {} : { id }) }
}

/** Whether a change of the weight also changes the metadata. */
function storesWeightInMetadata(
  layout: Layout,
  { key, value, records: [first] }: { key: string; value: Uint8Array; records: EndpointRecords },
): boolean {
  const { weight: text } = first.metadata
  if (text === undefined || layout.weightless !== null) return false
  const decoded = layout.decode(key, layout.withWeight(value, first.weight + 1))
  return decoded.kind === 'endpoints' && decoded.records[0].metadata.weight !== text
}

function writes(
  layout: Layout,
  records: EndpointRecords,
  stored: { readonly key: string; readonly value: Uint8Array },
): boolean {
  try {
    const { key, value } = layout.encode(records, null)
    return key === stored.key && Buffer.compare(value, stored.value) === 0
  } catch (error) {
    if (error instanceof DiscoError) return false
    throw error
  }
}
