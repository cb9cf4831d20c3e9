import {
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from '@bufbuild/protobuf'

/**
 * Examples of messages whose JSON form is not an object with their fields (special types of ProtoJSON), by type name.
 */
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

/** Maximum number of fields in a template: messages that use many other messages would make it huge. */
const MAX_FIELDS = 2_000
/** Maximum depth of a template: users do not write deeper messages by hand. */
const MAX_LEVELS = 16

export interface JsonTemplate {
  readonly json: JsonValue
  /** Whether fields were omitted because of MAX_FIELDS or MAX_LEVELS. */
  readonly isCut: boolean
}

/**
 * An example message with all its fields, as canonical JSON. Contains the first member of each oneof and one element of
 * each list or map. A recursive message is not repeated inside itself. With more than MAX_FIELDS fields, the most
 * deeply nested ones are omitted.
 */
export function jsonTemplate(message: DescMessage): JsonTemplate {
  return new Builder(message).build()
}

/** An object whose fields have not been written yet. */
interface Unfilled {
  readonly into: JsonObject
  readonly message: DescMessage
  /** The enclosing messages, outermost first, and the message itself. */
  readonly inside: readonly DescMessage[]
}

/** Fills the objects in the order of their depth, so that MAX_FIELDS omits the deepest ones. */
class Builder {
  private readonly unfilled: Unfilled[] = []
  private fields = 0
  private isCut = false

  constructor(private readonly root: DescMessage) {}

  build(): JsonTemplate {
    const json = this.message(this.root, [])
    for (let next = this.unfilled.shift(); next; next = this.unfilled.shift()) this.fill(next)
    return { json, isCut: this.isCut }
  }

  private message(message: DescMessage, within: readonly DescMessage[]): JsonValue {
    const special = SPECIAL[message.typeName]
    if (special !== undefined) return special
    const inside = [...within, message]
    // An Any may contain any message. The outermost message is used as an example, because its type is known.
    if (message.typeName === 'google.protobuf.Any')
      return { '@type': `type.googleapis.com/${inside[0]?.typeName}` }
    const into: JsonObject = {}
    if (inside.length <= MAX_LEVELS) this.unfilled.push({ into, message, inside })
    else this.isCut ||= message.fields.length > 0
    return into
  }

  private fill({ into, message, inside }: Unfilled): void {
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

/** The default value of a scalar. In ProtoJSON, 64-bit integers are strings, and bytes are base64. */
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
