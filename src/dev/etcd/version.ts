import { Writer } from './wire/writer.js'

/**
 * A key-value pair as of one revision (etcd's mvccpb.KeyValue), or its deletion. Immutable. Revisions and the version
 * count are numbers (they start at 1 and stay far below 2^53); a lease id has 64 bits and is therefore a bigint, 0n for
 * a key without a lease.
 */
export interface Version {
  readonly key: string
  /** The revision of the put that created the key; 0 for a deletion. */
  readonly createRevision: number
  readonly modRevision: number
  /** The number of puts since the key was created; 0 for a deletion. */
  readonly version: number
  readonly lease: bigint
  readonly value: Buffer
  readonly deleted: boolean
  /**
   * The pair, encoded once as field 2, tag and length included: RangeResponse.kvs, PutResponse.prev_kv and Event.kv all
   * have that number, so ranges and watches only copy these bytes.
   */
  readonly field2: Buffer
  /** The length of `field2`, cached: ranges sum it over thousands of pairs. */
  readonly encodedBytes: number
}

const NO_VALUE = Buffer.alloc(0)

/** The size of a pair without its key and value: six tags and lengths, three revisions and a lease. */
const PAIR_OVERHEAD_BYTES = 64

type Fields = Omit<Version, 'value' | 'deleted' | 'field2' | 'encodedBytes'>

/** Copies the value: requests are views into larger network buffers, which would otherwise stay in memory. */
export function putVersion(fields: Fields, value: Buffer): Version {
  const field2 = asField2(encodePair(fields, value))
  // The value is written last, so that its copy inside the encoding serves as the value itself.
  return versionOf(fields, field2.subarray(field2.length - value.length), false, field2)
}

/** A deletion has only its key and its revision (etcd API, Event). */
export function deletion(key: string, modRevision: number): Version {
  const fields = { key, createRevision: 0, modRevision, version: 0, lease: 0n }
  return versionOf(fields, NO_VALUE, true, asField2(encodePair(fields, NO_VALUE)))
}

/** All versions are created here: objects of the same shape are read faster, and ranges read thousands. */
function versionOf(fields: Fields, value: Buffer, deleted: boolean, field2: Buffer): Version {
  const { key, createRevision, modRevision, version, lease } = fields
  const encodedBytes = field2.length
  return { key, createRevision, modRevision, version, lease, value, deleted, field2, encodedBytes }
}

/** The pair without its value, as field 2 (RangeRequest.keys_only). */
export function keyOnlyField2(version: Version): Buffer {
  return asField2(encodePair(version, NO_VALUE))
}

/** The pair encoded as field 3: Event.prev_kv and DeleteRangeResponse.prev_kvs. */
export function field3(version: Version): Buffer {
  const copy = Buffer.from(version.field2)
  copy[0] = (3 << 3) | 2
  return copy
}

function encodePair(fields: Fields, value: Buffer): Buffer {
  return new Writer(fields.key.length + value.length + PAIR_OVERHEAD_BYTES)
    .text(1, fields.key)
    .number(2, fields.createRevision)
    .number(3, fields.modRevision)
    .number(4, fields.version)
    .bigint(6, fields.lease)
    .bytes(5, value)
    .body()
}

function asField2(pair: Buffer): Buffer {
  return new Writer(pair.length + PAIR_OVERHEAD_BYTES).message(2, pair).body()
}

/**
 * The index of the first version at or above a revision; the number of versions if there is none.
 *
 * @param versions in the order of their revisions
 */
export function firstAt(versions: readonly Version[], revision: number): number {
  let low = 0
  let high = versions.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const version = versions[middle]
    if (version !== undefined && version.modRevision < revision) low = middle + 1
    else high = middle
  }
  return low
}
