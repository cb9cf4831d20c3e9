import type { DescField, DescMessage, JsonValue, Registry } from '@bufbuild/protobuf'
import { type ExactJson, ExactNumber, isArray, isObject } from '../../domain/exact-json.js'
import { double, invalidNumber, readNumber, type ScalarKind, type ValueLocation } from './scalar-numbers.js'

/** The type of a field's value, of a list's elements, or of a map's values. */
interface ValueType extends ScalarKind {
  /** The field, as the error texts of `fromJson` name it. */
  readonly holder: string
  readonly message: DescMessage | undefined
}

/**
 * Converts every ExactNumber to the form that `fromJson` accepts for the number's field: an integer becomes a string,
 * which ProtoJSON allows, and a floating-point value or an enum value becomes a number. Any other JSON stays unchanged,
 * and is checked by `fromJson`.
 *
 * @throws Error for a number that its field cannot hold; the message contains the number as it was written
 */
export function readNumbers(json: ExactJson, message: DescMessage, registry: Registry): JsonValue {
  try {
    return inMessage(json, message, registry)
  } catch (error) {
    if (error instanceof RangeError) throw new Error('the data are nested too deeply', { cause: error })
    throw error
  }
}

function inMessage(json: ExactJson, message: DescMessage, registry: Registry): JsonValue {
  if (message.typeName === 'google.protobuf.Any') return inAny(json, registry)
  if (FREE_FORM.has(message.typeName)) return inFreeForm(json, message.typeName)
  const [wrapped] = message.fields
  if (wrapped && WRAPPER.test(message.typeName)) return inValue(json, typeOf(wrapped), registry)
  if (!isObject(json)) return plain(json, { holder: String(message), position: null })
  const fields = new Map(
    message.fields.flatMap((field) => [[field.name, field] as const, [field.jsonName, field]]),
  )
  return mapObject(json, (member, name) => {
    const field = fields.get(name) ?? extensionNamed(name, registry)
    // An unknown field is an error of `fromJson`.
    return field ? inField(member, field, registry) : rounded(member)
  })
}

function extensionNamed(name: string, registry: Registry): DescField | undefined {
  const [, typeName] = /^\[(.*)\]$/.exec(name) ?? []
  return typeName === undefined
    ? undefined
    : (registry.getExtension(typeName) as unknown as DescField | undefined)
}

/** Messages whose JSON form has no fields of its own: the sender chooses them. Their numbers are doubles. */
const FREE_FORM = new Set(['google.protobuf.Struct', 'google.protobuf.Value', 'google.protobuf.ListValue'])

const WRAPPER = /^google\.protobuf\.(?:Double|Float|U?Int(?:64|32)|Bool|String|Bytes)Value$/

function inAny(json: ExactJson, registry: Registry): JsonValue {
  const url = isObject(json) ? json['@type'] : undefined
  const message =
    typeof url === 'string' ? registry.getMessage(url.slice(url.lastIndexOf('/') + 1)) : undefined
  if (!message || !isObject(json)) return plain(json, { holder: 'google.protobuf.Any', position: null })
  // A message with a special JSON form is in the member `value` of the Any.
  const isSpecial = message.typeName.startsWith('google.protobuf.') && 'value' in json
  if (!isSpecial) return inMessage(json, message, registry)
  return mapObject(json, (member, name) =>
    name === 'value' ? inMessage(member, message, registry) : rounded(member),
  )
}

function inFreeForm(json: ExactJson, holder: string): JsonValue {
  if (json instanceof ExactNumber) return double(json, { holder, position: null })
  if (isArray(json)) return json.map((element) => inFreeForm(element, holder))
  return isObject(json) ? mapObject(json, (member) => inFreeForm(member, holder)) : json
}

function inField(json: ExactJson, field: DescField, registry: Registry): JsonValue {
  const type = typeOf(field)
  if (field.fieldKind === 'list' && isArray(json)) {
    return json.map((element, index) => inValue(element, type, registry, index))
  }
  if (field.fieldKind === 'map' && isObject(json)) {
    return mapObject(json, (member, key) => inValue(member, type, registry, key))
  }
  return inValue(json, type, registry)
}

function typeOf(field: DescField): ValueType {
  return {
    holder: String(field),
    scalar: field.scalar,
    isEnum: field.enum !== undefined,
    message: field.message,
  }
}

function inValue(
  json: ExactJson,
  type: ValueType,
  registry: Registry,
  position: number | string | null = null,
): JsonValue {
  if (type.message) return inMessage(json, type.message, registry)
  const location = { holder: type.holder, position }
  return plain(readNumber(json, type, location), location)
}

/** Converts JSON that must not be an ExactNumber. @throws Error for an ExactNumber */
function plain(json: ExactJson, location: ValueLocation): JsonValue {
  if (json instanceof ExactNumber) throw invalidNumber(json, location, 'unexpected number')
  return rounded(json)
}

/** Rounds every ExactNumber in an object or array to a double, for JSON that `fromJson` refuses. */
function rounded(json: ExactJson): JsonValue {
  return typeof json === 'object' ? (JSON.parse(JSON.stringify(json)) as JsonValue) : json
}

function mapObject(
  json: { readonly [name: string]: ExactJson },
  map: (member: ExactJson, name: string) => JsonValue,
): { [name: string]: JsonValue } {
  return Object.fromEntries(Object.entries(json).map(([name, member]) => [name, map(member, name)]))
}
