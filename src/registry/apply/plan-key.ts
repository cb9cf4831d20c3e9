import type { EndpointRecord } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import { shownKey } from '../../domain/key-text.js'
import { fileRecordsOf } from '../../domain/layouts/file-records.js'
import type { EndpointRecords, Layout } from '../../domain/layouts/index.js'
import type { KeyValue } from '../../etcd/pairs.js'
import { firstDifference } from '../file/compare.js'
import type { StatedKey } from '../file/keys.js'

/** The planned change of one key. */
export interface KeyPlan {
  readonly op: 'add' | 'update' | 'remove' | 'same'
  readonly key: string
  readonly service: string
  readonly layout: Layout
  /** The key as it was read; null if it did not exist. */
  readonly current: KeyValue | null
  /** Null for a removal. */
  readonly stated: StatedKey | null
  /** The value to put; null for a removal. */
  readonly value: Uint8Array | null
  /** The endpoints before the change; empty if the key did not exist, or its value cannot be read. */
  readonly before: readonly EndpointRecord[]
  /** The endpoints after the change; empty for a removal. */
  readonly after: readonly EndpointRecord[]
}

/** Whether safety checks are overridden. */
export interface Force {
  readonly force: boolean
}

/**
 * Compares a key of a file with the key in etcd. If the file states fields instead of the whole value, only those
 * fields are changed, and the rest of the stored value is kept.
 *
 * @throws DiscoError CONFLICT if the change would lose data that the file does not state
 */
export function planKey(stated: StatedKey, current: KeyValue | null, { force }: Force): KeyPlan {
  const { key, layout, records } = stated
  const common = { key, service: records[0].service, layout, stated, after: records }
  if (current === null) return { ...common, op: 'add', current, value: stated.value, before: [] }
  const decoded = layout.decode(key, current.value)
  const before = decoded.kind === 'endpoints' ? decoded.records : []
  const value = nextValue(stated, current, before, force)
  const isSame = Buffer.compare(value, current.value) === 0
  const after = isSame ? before : readBack(layout, key, value, records)
  return { ...common, op: isSame ? 'same' : 'update', current, value, before, after }
}

/** Plans the removal of a key. */
export function planRemoval(layout: Layout, current: KeyValue, before: EndpointRecords): KeyPlan {
  const { key } = current
  return {
    op: 'remove',
    key,
    service: before[0].service,
    layout,
    current,
    stated: null,
    value: null,
    before,
    after: [],
  }
}

function nextValue(
  stated: StatedKey,
  { value }: KeyValue,
  before: readonly EndpointRecord[],
  force: boolean,
): Uint8Array {
  const { key, layout } = stated
  if (stated.isExact || Buffer.compare(stated.value, value) === 0) return stated.value
  const [first, ...rest] = before
  if (first === undefined) {
    if (force) return stated.value
    throw wouldLose(key, 'cannot be read')
  }
  const records: EndpointRecords = [first, ...rest]
  const now = fieldsOf(layout, key, value, records)
  const wanted = withUnstated(stated, now)
  if (firstDifference(wanted, now) === null) return value
  const weighed = withWeight(layout, value, wanted[0].weight)
  const decoded = layout.decode(key, weighed)
  const then = decoded.kind === 'endpoints' ? fieldsOf(layout, key, weighed, decoded.records) : []
  if (firstDifference(wanted, then) === null) return weighed
  if (force || fileRecordsOf(layout, { key, value, records }).isLossless)
    return layout.encode(wanted, null).value
  throw wouldLose(key, 'has more than the file states')
}

/** The records of the file, completed from etcd: fields that an entry omits keep their current value. */
function withUnstated(
  { key, layout, value, records, entries }: StatedKey,
  now: EndpointRecords,
): EndpointRecords {
  const [first, ...rest] = fieldsOf(layout, key, value, records).map((record, index): EndpointRecord => {
    const [entry, current] = [entries[index], now[index] ?? now[0]]
    const id = entry?.id ?? current.id
    return {
      ...record,
      weight: entry?.weight == null ? current.weight : record.weight,
      metadata: entry?.metadata === undefined ? current.metadata : record.metadata,
      ...(id === undefined ? {} : { id }),
    }
  })
  return first === undefined ? now : [first, ...rest]
}

function wouldLose(key: string, what: string): DiscoError {
  return new DiscoError('CONFLICT', `The value of ${shownKey(key)} ${what}, and would be replaced`, {
    suggestions: ['Export it again, and change that file', 'To replace it anyway, add --force'],
  })
}

function fieldsOf(layout: Layout, key: string, value: Uint8Array, records: EndpointRecords): EndpointRecords {
  return fileRecordsOf(layout, { key, value, records }).records
}

function withWeight(layout: Layout, value: Uint8Array, weight: number): Uint8Array {
  return layout.weightless === null ? layout.withWeight(value, weight) : value
}

function readBack(
  layout: Layout,
  key: string,
  value: Uint8Array,
  otherwise: EndpointRecords,
): EndpointRecords {
  const decoded = layout.decode(key, value)
  return decoded.kind === 'endpoints' ? decoded.records : otherwise
}
