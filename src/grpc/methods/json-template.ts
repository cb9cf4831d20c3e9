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

/** The maximum number of fields: messages that refer to each other can grow without bound. */
const MAX_FIELDS = 2_000
/** The maximum depth: deeper messages are not written by hand. */
const MAX_LEVELS = 16

export interface JsonTemplate {
  readonly json: JsonValue
  /** Whether fields were omitted: too many, or nested too deeply. */
  readonly isCut: boolean
}

/**
 * An example message with its fields, as canonical JSON. It has the first member of each oneof, one element of each
 * list or map, and a recursive message once. If there are too many fields, inner ones are left out first.
 */
export function jsonTemplate(message: DescMessage): JsonTemplate {
  return new Builder(message).build()
}

/** An object with fields that are still to be written. */
interface Open {
  readonly into: JsonObject
  readonly message: DescMessage
  /** The enclosing messages, and the message itself. */
  readonly inside: readonly DescMessage[]
}

class Builder {
  private readonly open: Open[] = []
  private fields = 0
  private isCut = false

  constructor(private readonly root: DescMessage) {}

  build(): JsonTemplate {
    const json = this.message(this.root, [])
    for (let next = this.open.shift(); next; next = this.open.shift()) this.fill(next)
    return { json, isCut: this.isCut }
  }

  private message(message: DescMessage, within: readonly DescMessage[]): JsonValue {
    const special = SPECIAL[message.typeName]
    if (special !== undefined) return special
    const inside = [...within, message]
    // An Any may contain any message; the outermost one is known.
    if (message.typeName === 'google.protobuf.Any')
      return { '@type': `type.googleapis.com/${inside[0]?.typeName}` }
    const into: JsonObject = {}
    if (inside.length <= MAX_LEVELS) this.open.push({ into, message, inside })
    else this.isCut ||= message.fields.length > 0
    return into
  }

  private fill({ into, message, inside }: Open): void {
    for (const field of message.fields) {
      if (field.oneof && field.oneof.fields[0] !== field) continue
      if (++this.fields > MAX_FIELDS) {
        this.isCut = true
        return
      }
      into[field.jsonName] = this.field(field, inside)
    }
  }

  private field(field: DescField, within: readonly DescMessage[]): JsonValue {
    switch (field.fieldKind) {
      case 'scalar':
        return scalarTemplate(field.scalar)
      case 'enum':
        return field.enum.values[0]?.name ?? 0
      case 'message':
        return within.includes(field.message) ? {} : this.message(field.message, within)
      case 'list':
        return isRepeatable(field.message, within) ? [this.element(field, within)] : []
      case 'map': {
        const key =
          field.mapKey === ScalarType.STRING ? 'key' : field.mapKey === ScalarType.BOOL ? 'false' : '0'
        return isRepeatable(field.message, within) ? { [key]: this.element(field, within) } : {}
      }
    }
  }

  private element(
    field: DescField & { fieldKind: 'list' | 'map' },
    within: readonly DescMessage[],
  ): JsonValue {
    if (field.message) return this.message(field.message, within)
    if (field.enum) return field.enum.values[0]?.name ?? 0
    return scalarTemplate(field.scalar)
  }
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
