import type { EndpointRecord, LeaseId } from '../../domain/endpoint.js'
import { fileRecordsOf } from '../../domain/layouts/file-records.js'
import type { EndpointRecords, Layout } from '../../domain/layouts/index.js'
import type { EndpointEntry } from '../../domain/registry-file.js'
import type { Ttl } from '../../etcd/lease.js'
import type { KeyValue } from '../../etcd/pairs.js'

/** A stored registration: a key with its endpoints. */
export interface StoredRegistration {
  readonly kv: KeyValue
  readonly layout: Layout
  readonly records: EndpointRecords
}

/** The entries of a file for one registration, one for each address. */
export function entriesOf(
  { kv, layout, records }: StoredRegistration,
  ttls: ReadonlyMap<LeaseId, Ttl>,
): EndpointEntry[] {
  const { key, value, lease } = kv
  const described = fileRecordsOf(layout, { key, value, records })
  const grantedTtlSeconds = (lease === null ? undefined : ttls.get(lease))?.grantedTtlSeconds ?? null
  const entry = (record: EndpointRecord, at: number): EndpointEntry => {
    const { service, addr, version, weight, metadata, id } = record
    const problem = records[at]?.problem
    return {
      service,
      addr,
      version,
      weight: layout.weightless === null ? weight : null,
      metadata,
      ...(id === undefined ? {} : { id }),
      layout: layout.name,
      key,
      leased: lease !== null,
      grantedTtlSeconds,
      ...(problem ? { problem: problem.text } : {}),
      // All entries of a key share its value.
      ...(described.isLossless || at > 0 ? {} : valueField(value)),
    }
  }
  return described.records.map(entry)
}

function valueField(value: Buffer): Pick<EndpointEntry, 'value' | 'valueBase64'> {
  const text = value.toString()
  return Buffer.from(text).equals(value) ? { value: text } : { valueBase64: value.toString('base64') }
}
