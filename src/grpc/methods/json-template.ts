import {
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from '@bufbuild/protobuf'

/** Messages whose JSON is not an object of their fields (ProtoJSON, "Special types"), each with an example. */
const SPECIAL: Readonly<Record<string, JsonValue>> = {
  'google.protobuf.Timestamp': '1970-01-01T00:00:00Z',
  'google.protobuf.Duration': '0s',
  'google.protobuf.FieldMask': '',
  'google.protobuf.Struct': {},
  'google.protobuf.ListValue': [],
  'google.protobuf.Value': null,
  'google.protobuf.DoubleValue': 0,
  'google.protobuf.FloatValue': 0,
  'google.protobuf.Int64Value': '0',
  'google.protobuf.UInt64Value': '0',
  'google.protobuf.Int32Value': 0,
  'google.protobuf.UInt32Value': 0,
  'google.protobuf.BoolValue': false,
  'google.protobuf.StringValue': '',
  'google.protobuf.BytesValue': '',
}

/** More fields than this are left out: messages that name each other have more than a computer can hold. */
const MOST_FIELDS = 2_000

/** How many fields more there may be. */
interface Room {
  left: number
}

/**
 * A message with every field in it, as canonical JSON that a parser takes: of a oneof only the first member,
 * of a list or map one element, and a message inside itself once.
 */
export function jsonTemplate(message: DescMessage): JsonValue {
  return messageTemplate(message, [], { left: MOST_FIELDS })
}

function messageTemplate(message: DescMessage, within: readonly DescMessage[], room: Room): JsonValue {
  const special = SPECIAL[message.typeName]
  if (special !== undefined) return special
  const inside = [...within, message]
  // Any message can be in it; the outermost is one that is known.
  if (message.typeName === 'google.protobuf.Any')
    return { '@type': `type.googleapis.com/${inside[0]?.typeName}` }
  const template: JsonObject = {}
  for (const field of message.fields) {
    if (field.oneof && field.oneof.fields[0] !== field) continue
    if (room.left-- <= 0) break
    template[field.jsonName] = fieldTemplate(field, inside, room)
  }
  return template
}

function fieldTemplate(field: DescField, within: readonly DescMessage[], room: Room): JsonValue {
  switch (field.fieldKind) {
    case 'scalar':
      return scalarTemplate(field.scalar)
    case 'enum':
      return field.enum.values[0]?.name ?? 0
    case 'message':
      return within.includes(field.message) ? {} : messageTemplate(field.message, within, room)
    case 'list':
      return isRepeatable(field.message, within) ? [elementTemplate(field, within, room)] : []
    case 'map': {
      const key =
        field.mapKey === ScalarType.STRING ? 'key' : field.mapKey === ScalarType.BOOL ? 'false' : '0'
      return isRepeatable(field.message, within) ? { [key]: elementTemplate(field, within, room) } : {}
    }
  }
}

function elementTemplate(
  field: DescField & { fieldKind: 'list' | 'map' },
  within: readonly DescMessage[],
  room: Room,
): JsonValue {
  if (field.message) return messageTemplate(field.message, within, room)
  if (field.enum) return field.enum.values[0]?.name ?? 0
  return scalarTemplate(field.scalar)
}

function isRepeatable(message: DescMessage | undefined, within: readonly DescMessage[]): boolean {
  return message === undefined || !within.includes(message)
}

/** 64-bit integers are strings in JSON, and bytes are base64. */
function scalarTemplate(type: ScalarType | undefined): JsonValue {
  switch (type) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return ''
    case ScalarType.BOOL:
      return false
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return '0'
    default:
      return 0
  }
}
