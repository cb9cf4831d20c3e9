import type { LeaseId, Revision } from '../domain/endpoint.js'
import { keyText } from '../domain/key-text.js'
import { WireReader } from './wire.js'

/** One key as etcd stores it. */
export interface KeyValue {
  /** The key in the form that `keyText` returns. */
  readonly key: string
  readonly value: Buffer
  readonly lease: LeaseId | null
  readonly createRevision: Revision
  readonly modRevision: Revision
}

/** Fields of etcd's mvccpb.KeyValue: number times eight, plus wire type. */
const KEY = 0x0a
const CREATE_REVISION = 0x10
const MOD_REVISION = 0x18
const VALUE = 0x2a
const LEASE = 0x30

/** Numbers per pair in `places`: start and end of the key and of the value, and both halves of the lease id. */
const PLACES = 6
/** Numbers per pair in `revisions`: create revision and mod revision. */
const REVISIONS = 2

/** The replacement character: a key that contains it may not be UTF-8. */
const REPLACEMENT = '\ufffd'

/**
 * The key-values of one answer of etcd, stored as positions in its bytes. Objects for keys and values are created on
 * demand: a list may need only a thousand keys of a range of a million.
 */
export class Pairs {
  private readonly places: Uint32Array
  private readonly revisions: Float64Array
  private lastLease: { low: number; high: number; id: LeaseId } = { low: 0, high: 0, id: '' }

  /**
   * @param starts positions of the encoded pairs in `bytes`, each before its length
   * @throws RangeError if the bytes of a pair are invalid
   */
  constructor(
    private readonly bytes: Buffer,
    starts: readonly number[],
  ) {
    this.length = starts.length
    this.places = new Uint32Array(PLACES * starts.length)
    this.revisions = new Float64Array(REVISIONS * starts.length)
    const reader = new WireReader(bytes)
    for (let index = 0; index < starts.length; index++) this.read(reader, index, starts[index] ?? 0)
  }

  readonly length: number

  at(index: number): KeyValue {
    const { bytes, places, revisions } = this
    const [place, revision] = [index * PLACES, index * REVISIONS]
    return {
      key: this.key(index),
      value: bytes.subarray(places[place + 2], places[place + 3]),
      lease: this.lease(places[place + 4] ?? 0, places[place + 5] ?? 0),
      createRevision: revisions[revision] ?? 0,
      modRevision: revisions[revision + 1] ?? 0,
    }
  }

  *[Symbol.iterator](): Generator<KeyValue, void, void> {
    for (let index = 0; index < this.length; index++) yield this.at(index)
  }

  /** The key at an index, in the form that `keyText` returns. */
  key(index: number): string {
    const { bytes, places } = this
    const text = bytes.toString('utf8', places[index * PLACES], places[index * PLACES + 1])
    return text.includes(REPLACEMENT) ? keyText(this.keyBytes(index)) : text
  }

  keyBytes(index: number): Buffer {
    return this.bytes.subarray(this.places[index * PLACES], this.places[index * PLACES + 1])
  }

  /** Indexes of the keys that contain one of these texts, in order. Much faster than checking each key. */
  *containing(parts: readonly Uint8Array[]): Generator<number, void, void> {
    const { bytes, places } = this
    const find = (part: Uint8Array, from: number) => {
      const found = bytes.indexOf(part, from)
      return found < 0 ? bytes.length : found
    }
    let found = parts.map((part) => find(part, 0))
    let next = Math.min(...found)
    for (let index = 0; index < this.length; index++) {
      const start = places[index * PLACES] ?? 0
      const end = places[index * PLACES + 1] ?? 0
      if (next >= end) continue
      // A match that is not within one key is ignored.
      found = parts.map((part, at) => ((found[at] ?? 0) < start ? find(part, start) : (found[at] ?? 0)))
      next = Math.min(...found)
      if (parts.some((part, at) => (found[at] ?? 0) + part.length <= end)) yield index
    }
  }

  private read(reader: WireReader, index: number, start: number): void {
    const { places, revisions } = this
    const [place, revision] = [index * PLACES, index * REVISIONS]
    reader.at = start
    reader.end = this.bytes.length
    reader.end = reader.field()
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === KEY || tag === VALUE) {
        const to = reader.field()
        const first = tag === KEY ? place : place + 2
        places[first] = reader.at
        places[first + 1] = to
        reader.at = to
      } else if (tag === CREATE_REVISION) revisions[revision] = reader.uint()
      else if (tag === MOD_REVISION) revisions[revision + 1] = reader.uint()
      else if (tag === LEASE) {
        reader.varint()
        places[place + 4] = reader.low
        places[place + 5] = reader.high
      } else reader.skip(tag)
    }
  }

  /** The id of a lease. The last id is kept, because consecutive keys often have the same lease. */
  private lease(low: number, high: number): LeaseId | null {
    if (low === 0 && high === 0) return null
    const { lastLease: last } = this
    if (last.low === low && last.high === high) return last.id
    const id = hex(high) + hex(low)
    this.lastLease = { low, high, id }
    return id
  }
}

function hex(half: number): string {
  return half.toString(16).padStart(8, '0')
}
