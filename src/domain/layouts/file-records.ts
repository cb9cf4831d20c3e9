import type { EndpointRecord } from '../endpoint.js'
import { DiscoError } from '../errors.js'
import type { EndpointRecords, Layout } from './layout.js'

/** A registration as a registry file describes it: without `extra`, the fields that only its layout knows. */
export interface FileRecords {
  /** The metadata has no entry `weight` if the layout stores the weight there. */
  readonly records: EndpointRecords
  /** Whether the layout writes the same key and the same value from these fields. */
  readonly isLossless: boolean
}

/**
 * Converts a stored registration to the fields that a registry file contains.
 *
 * @param records as `layout` decodes them from key and value
 */
export function fileRecordsOf(
  layout: Layout,
  { key, value, records }: { key: string; value: Uint8Array; records: EndpointRecords },
): FileRecords {
  const hidesWeight = storesWeightInMetadata(layout, { key, value, records })
  const [first, ...rest] = records
  const described: EndpointRecords = [
    fieldsOf(first, hidesWeight),
    ...rest.map((record) => fieldsOf(record, hidesWeight)),
  ]
  return { records: described, isLossless: writesSame(layout, described, { key, value }) }
}

function fieldsOf(record: EndpointRecord, hidesWeight: boolean): EndpointRecord {
  const { service, version, addr, weight, id, metadata: stored } = record
  const { weight: _weight, ...others } = stored
  const metadata = hidesWeight ? others : stored
  return { service, version, addr, weight, metadata, ...(id === undefined ? {} : { id }) }
}

/** Whether a layout stores the weight in the metadata: a value with another weight then has other metadata. */
function storesWeightInMetadata(
  layout: Layout,
  { key, value, records: [first] }: { key: string; value: Uint8Array; records: EndpointRecords },
): boolean {
  const { weight: text } = first.metadata
  if (text === undefined || layout.weightless !== null) return false
  const decoded = layout.decode(key, layout.withWeight(value, first.weight + 1))
  return decoded.kind === 'endpoints' && decoded.records[0].metadata.weight !== text
}

/** Whether the layout writes the stored key and value from the records. */
function writesSame(
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
