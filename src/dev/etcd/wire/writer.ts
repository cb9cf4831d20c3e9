/**
 * The prefix of each gRPC message: one byte for the compressed flag, four bytes for the length (gRPC over HTTP/2,
 * "Length-Prefixed-Message").
 */
export const PREFIX_BYTES = 5

/** The longest varint: 64 bits, seven at a time. */
const MAX_VARINT_BYTES = 10

/**
 * Writes one protobuf message. It reserves room for the gRPC prefix at the front, so that `frame()` sends without a
 * copy. Zero values are omitted, as in proto3.
 */
export class Writer {
  private buffer: Buffer
  private at = PREFIX_BYTES

  /** @param room expected size in bytes; if it is too small, the buffer is copied to a larger one */
  constructor(room = 128) {
    this.buffer = Buffer.allocUnsafe(PREFIX_BYTES + room)
  }

  number(field: number, value: number): this {
    if (value === 0) return this
    this.reserve(2 * MAX_VARINT_BYTES)
    this.varint(field << 3)
    this.varint(value)
    return this
  }

  bigint(field: number, value: bigint): this {
    if (value === 0n) return this
    this.reserve(2 * MAX_VARINT_BYTES)
    this.varint(field << 3)
    this.halves(Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn))
    return this
  }

  boolean(field: number, value: boolean): this {
    return this.number(field, value ? 1 : 0)
  }

  /** A byte string, given as latin1 text. */
  text(field: number, value: string): this {
    if (value === '') return this
    this.lengthPrefix(field, value.length)
    this.at += this.buffer.write(value, this.at, 'latin1')
    return this
  }

  bytes(field: number, value: Buffer): this {
    return value.length === 0 ? this : this.message(field, value)
  }

  /** An embedded message. It is written even if empty, because its presence has a meaning. */
  message(field: number, body: Uint8Array): this {
    this.lengthPrefix(field, body.length)
    return this.raw(body)
  }

  /** Bytes that are already encoded fields. */
  raw(fields: Uint8Array): this {
    this.reserve(fields.length)
    this.buffer.set(fields, this.at)
    this.at += fields.length
    return this
  }

  /** The current length of the message. */
  get length(): number {
    return this.at - PREFIX_BYTES
  }

  /** The message without a prefix. The writer must not be used afterwards. */
  body(): Buffer {
    return this.buffer.subarray(PREFIX_BYTES, this.at)
  }

  /** The message with its gRPC prefix. The writer must not be used afterwards. */
  frame(): Buffer {
    this.buffer[0] = 0
    this.buffer.writeUInt32BE(this.length, 1)
    return this.buffer.subarray(0, this.at)
  }

  private lengthPrefix(field: number, length: number): void {
    this.reserve(2 * MAX_VARINT_BYTES + length)
    this.varint((field << 3) | 2)
    this.varint(length)
  }

  private varint(value: number): void {
    if (value < 0 || value > 0x7fff_ffff) {
      this.halves(value >>> 0, Math.floor(value / 0x1_0000_0000) >>> 0)
      return
    }
    let rest = value
    while (rest > 0x7f) {
      this.buffer[this.at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.buffer[this.at++] = rest
  }

  private halves(low: number, high: number): void {
    let lowBits = low >>> 0
    let highBits = high >>> 0
    while (highBits > 0 || lowBits > 0x7f) {
      this.buffer[this.at++] = (lowBits & 0x7f) | 0x80
      lowBits = ((lowBits >>> 7) | (highBits << 25)) >>> 0
      highBits >>>= 7
    }
    this.buffer[this.at++] = lowBits
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.at + bytes, 2 * this.buffer.length))
    this.buffer.copy(larger, 0, 0, this.at)
    this.buffer = larger
  }
}
