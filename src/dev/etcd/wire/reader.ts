import { Code, RpcError } from '../errors.js'

/** Protobuf wire types (protobuf encoding, "Message Structure"). */
const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

/**
 * Reads one protobuf message, field by field: `while ((field = reader.next()) !== 0) switch (field) …`. A field that
 * the switch does not read must be skipped with `skip()`.
 *
 * Byte strings are returned as latin1 text, one char per byte, so that `<` has the order of etcd.
 */
export class Reader {
  private at = 0
  private wireType = VARINT
  private low = 0
  private high = 0

  constructor(private readonly source: Buffer) {}

  /** The number of the next field; 0 at the end. */
  next(): number {
    if (this.at >= this.source.length) return 0
    this.varint()
    this.wireType = this.low & 7
    return this.low >>> 3
  }

  /** An int64 as a number: exact within ±2^53. Beyond that it is rounded, but sign and order are kept. */
  number(): number {
    this.varint()
    return this.high === 0 ? this.low >>> 0 : this.high * 0x1_0000_0000 + (this.low >>> 0)
  }

  /** An int64 whose exact value matters, such as an id. */
  bigint(): bigint {
    this.varint()
    if (this.high === 0) return BigInt(this.low >>> 0)
    return (BigInt(this.high) << 32n) | BigInt(this.low >>> 0)
  }

  boolean(): boolean {
    this.varint()
    return this.low !== 0 || this.high !== 0
  }

  /** A view into the message, not a copy. */
  bytes(): Buffer {
    if (this.wireType !== BYTES) throw malformed()
    const length = this.number()
    const end = this.at + length
    if (end > this.source.length) throw malformed()
    const view = this.source.subarray(this.at, end)
    this.at = end
    return view
  }

  text(): string {
    return this.bytes().toString('latin1')
  }

  /** One element of a repeated number, or all of them when they are packed. */
  numbers(): number[] {
    if (this.wireType !== BYTES) return [this.number()]
    const packed = new Reader(this.bytes())
    const found: number[] = []
    while (packed.at < packed.source.length) found.push(packed.number())
    return found
  }

  skip(): void {
    if (this.wireType === VARINT) this.varint()
    else if (this.wireType === BYTES) this.bytes()
    else if (this.wireType === FIXED64) this.at += 8
    else if (this.wireType === FIXED32) this.at += 4
    else throw malformed()
  }

  /** Stores the two 32-bit halves of a varint in `low` and `high` (both signed). */
  private varint(): void {
    const first = this.byte()
    this.low = first & 0x7f
    this.high = 0
    if (first < 0x80) return
    let shift = 7
    for (;;) {
      const byte = this.byte()
      const bits = byte & 0x7f
      if (shift < 28) this.low |= bits << shift
      else if (shift === 28) {
        this.low |= bits << 28
        this.high = bits >>> 4
      } else if (shift < 64) this.high |= bits << (shift - 32)
      else throw malformed()
      if (byte < 0x80) return
      shift += 7
    }
  }

  private byte(): number {
    const byte = this.source[this.at++]
    if (byte === undefined) throw malformed()
    return byte
  }
}

function malformed(): RpcError {
  return new RpcError(Code.INTERNAL, 'grpc: error unmarshalling request: malformed message')
}
