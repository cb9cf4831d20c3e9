/** Wire types of protobuf's encoding. */
const VARINT = 0
const FIXED_64 = 1
const LENGTH_DELIMITED = 2
const FIXED_32 = 5

const TWO_32 = 0x1_0000_0000

/**
 * Reads the fields of a protobuf message. It is used for messages with up to 100,000 key-values: a generic decoder
 * would create an object for each field and a string for each number, which takes most of the time of a list.
 *
 * Methods throw RangeError if the message ends too early.
 */
export class WireReader {
  /** The low and high 32 bits of the last varint, unsigned. */
  low = 0
  high = 0

  /** @param end exclusive */
  constructor(
    private readonly bytes: Uint8Array,
    public at = 0,
    public end = bytes.length,
  ) {}

  /** The next field's number times eight, plus its wire type; 0 at the end. */
  tag(): number {
    return this.at < this.end ? this.uint() : 0
  }

  /** A varint as a number: exact below 2^53. */
  uint(): number {
    this.varint()
    return this.high === 0 ? this.low : this.high * TWO_32 + this.low
  }

  /** Reads a varint into `low` and `high`. */
  varint(): void {
    let byte = this.byte()
    let low = byte & 0x7f
    let high = 0
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = this.byte()
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high = bits >> 4
      } else if (shift < 64) high |= bits << (shift - 32)
      else throw new RangeError('a varint has ten bytes at most')
    }
    this.low = low >>> 0
    this.high = high >>> 0
  }

  /**
   * Reads the length of a length-delimited field.
   *
   * @returns the position after the field, whose content begins at `at`
   */
  field(): number {
    const length = this.uint()
    const end = this.at + length
    if (end > this.end) throw new RangeError('a field ends after its message')
    return end
  }

  /** Skips the value of a field. */
  skip(tag: number): void {
    const type = tag & 7
    if (type === VARINT) this.varint()
    else if (type === LENGTH_DELIMITED) this.at = this.field()
    else if (type === FIXED_64) this.pass(8)
    else if (type === FIXED_32) this.pass(4)
    else throw new RangeError(`wire type ${type} is unknown`)
  }

  private pass(bytes: number): void {
    this.at += bytes
    if (this.at > this.end) throw new RangeError('a field ends after its message')
  }

  private byte(): number {
    if (this.at >= this.end) throw new RangeError('a varint ends after its message')
    return this.bytes[this.at++] ?? 0
  }
}
