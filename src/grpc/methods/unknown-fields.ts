import type { JsonValue, UnknownField } from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'

/**
 * Unknown fields of a message as JSON: the number and raw value of each field, in the order of the message. Varints and
 * fixed-width values are unsigned integers (64-bit ones as strings). Length-delimited values and groups are base64.
 */
export function unknownFields(fields: readonly UnknownField[]): JsonValue {
  return fields.map((field) => ({ field: field.no, ...rawValue(field) }))
}

function rawValue({ wireType, data }: UnknownField): { [kind: string]: JsonValue } {
  const reader = new BinaryReader(data)
  switch (wireType) {
    case WireType.Varint:
      return { varint: String(reader.uint64()) }
    case WireType.Bit32:
      return { fixed32: reader.fixed32() }
    case WireType.Bit64:
      return { fixed64: String(reader.fixed64()) }
    case WireType.LengthDelimited:
      return { bytes: base64(reader.bytes()) }
    default:
      return { group: base64(data) }
  }
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
