import {
  type DescField,
  type DescMessage,
  type JsonValue,
  type Registry,
  ScalarType,
} from '@bufbuild/protobuf'
import { ExactNumber, writeJson } from '../../domain/exact-json.js'
import { decodingError } from './from-json-texts.js'

/** JSON in which numbers that a double would change keep their spelling. */
export type ExactJson =
  | string
  | number
  | boolean
  | null
  | ExactNumber
  | readonly ExactJson[]
  | { readonly [name: string]: ExactJson }

/** What a value belongs to, for messages. */
interface Where {
  readonly holder: string
  readonly place: Place
}

/** Where a value stands in its field: the index in a list, the key in a map, or null. */
type Place = number | string | null

/** The type of one value: of a field, of a list's element, or of a map's value. */
interface ValueType {
  /** The name in messages, as `fromJson` names the field. */
  readonly holder: string
  readonly scalar: ScalarType | undefined
  readonly isEnum: boolean
  readonly message: DescMessage | undefined
}

/**
 * Converts every ExactNumber to the form that `fromJson` accepts for its field: 64-bit integers as strings, which
 * ProtoJSON allows, and others as numbers. Everything else stays unchanged: `fromJson` checks it.
 *
 * @throws Error for a number that its field cannot hold, with its spelling
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
  if (FREE.has(message.typeName)) return inFreeValue(json, message.typeName)
  const [wrapped] = message.fields
  if (wrapped && WRAPPER.test(message.typeName)) return inValue(json, typeOf(wrapped), registry)
  if (!isObject(json)) return plain(json, { holder: String(message), place: null })
  const fields = new Map(
    message.fields.flatMap((field) => [[field.name, field] as const, [field.jsonName, field]]),
  )
  return mapObject(json, (member, name) => {
    const field = fields.get(name) ?? extensionNamed(name, registry)
    // `fromJson` reports unknown fields.
    return field ? inField(member, field, registry) : rounded(member)
  })
}

function extensionNamed(name: string, registry: Registry): DescField | undefined {
  const [, typeName] = /^\[(.*)\]$/.exec(name) ?? []
  return typeName === undefined
    ? undefined
    : (registry.getExtension(typeName) as unknown as DescField | undefined)
}

/** Types that accept any JSON: their numbers are doubles. */
const FREE = new Set(['google.protobuf.Struct', 'google.protobuf.Value', 'google.protobuf.ListValue'])

const WRAPPER = /^google\.protobuf\.(?:Double|Float|U?Int(?:64|32)|Bool|String|Bytes)Value$/

function inAny(json: ExactJson, registry: Registry): JsonValue {
  const url = isObject(json) ? json['@type'] : undefined
  const message =
    typeof url === 'string' ? registry.getMessage(url.slice(url.lastIndexOf('/') + 1)) : undefined
  if (!message || !isObject(json)) return plain(json, { holder: 'google.protobuf.Any', place: null })
  // In an Any, a message with a special JSON form is the member `value`.
  const isSpecial = message.typeName.startsWith('google.protobuf.') && 'value' in json
  if (!isSpecial) return inMessage(json, message, registry)
  return mapObject(json, (member, name) =>
    name === 'value' ? inMessage(member, message, registry) : rounded(member),
  )
}

function inFreeValue(json: ExactJson, holder: string): JsonValue {
  if (json instanceof ExactNumber) return double(json, { holder, place: null })
  if (isArray(json)) return json.map((element) => inFreeValue(element, holder))
  return isObject(json) ? mapObject(json, (member) => inFreeValue(member, holder)) : json
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

function inValue(json: ExactJson, type: ValueType, registry: Registry, place: Place = null): JsonValue {
  if (type.message) return inMessage(json, type.message, registry)
  const range = type.isEnum ? RANGES[ScalarType.INT32] : type.scalar && RANGES[type.scalar]
  const number = range && typeof json === 'number' ? doubtful(json, range) : json
  const where = { holder: type.holder, place }
  if (!(number instanceof ExactNumber)) return plain(number, where)
  if (range) return integer(number, range, type.isEnum, where)
  if (type.scalar === ScalarType.DOUBLE) return double(number, where)
  if (type.scalar === ScalarType.FLOAT) return float(number, where)
  throw problem(number, where, `a number is not a ${ScalarType[type.scalar ?? 0]?.toLowerCase()}`)
}

/** A number that is not an integer of the range, to be refused as an exact one is. */
function doubtful(json: number, [least, most]: Range): ExactJson {
  const isRight = Number.isSafeInteger(json) && json >= Number(least) && json <= Number(most)
  return isRight ? json : new ExactNumber(String(json))
}

type Range = readonly [least: bigint, most: bigint]

const INT32: Range = [-(2n ** 31n), 2n ** 31n - 1n]
const UINT32: Range = [0n, 2n ** 32n - 1n]
const INT64: Range = [-(2n ** 63n), 2n ** 63n - 1n]
const UINT64: Range = [0n, 2n ** 64n - 1n]

const RANGES: Partial<Record<ScalarType, Range>> = {
  [ScalarType.INT32]: INT32,
  [ScalarType.SINT32]: INT32,
  [ScalarType.SFIXED32]: INT32,
  [ScalarType.UINT32]: UINT32,
  [ScalarType.FIXED32]: UINT32,
  [ScalarType.INT64]: INT64,
  [ScalarType.SINT64]: INT64,
  [ScalarType.SFIXED64]: INT64,
  [ScalarType.UINT64]: UINT64,
  [ScalarType.FIXED64]: UINT64,
}

function integer(number: ExactNumber, [least, most]: Range, isEnum: boolean, where: Where): JsonValue {
  const value = integerIn(number.text)
  if (value === null) throw problem(number, where, 'not an integer')
  if (value < least || value > most) throw problem(number, where, `out of range, from ${least} to ${most}`)
  // As a string, an enum value would be a name.
  return isEnum ? Number(value) : String(value)
}

/** A larger exponent makes a number that no field can hold, and a string of that length. */
const MOST_DIGITS = 40

/** @returns null for a number with a fraction; numbers such as `1.0` and `1e3` are integers */
function integerIn(text: string): bigint | null {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const zeros = Number(exponent) - fraction.length
  if (digits === '') return 0n
  if (zeros >= 0) return BigInt(`${sign}${digits}${'0'.repeat(Math.min(zeros, MOST_DIGITS))}`)
  const cut = Math.max(0, digits.length + zeros)
  return /^0*$/.test(digits.slice(cut)) ? BigInt(`${sign}${digits.slice(0, cut) || '0'}`) : null
}

/** Rounds to the nearest double, as protoc does. */
function double(number: ExactNumber, where: Where): number {
  const value = Number(number.text)
  if (Number.isFinite(value)) return value
  throw problem(number, where, 'out of range of a double')
}

function float(number: ExactNumber, where: Where): number {
  const value = Number(number.text)
  if (Number.isFinite(Math.fround(value))) return value
  throw problem(number, where, 'out of range of a float')
}

/** JSON of the wrong type, if it is or contains a number. */
function plain(json: ExactJson, where: Where): JsonValue {
  if (json instanceof ExactNumber) throw problem(json, where, 'unexpected number')
  return rounded(json)
}

function rounded(json: ExactJson): JsonValue {
  return typeof json === 'object' ? (JSON.parse(JSON.stringify(json)) as JsonValue) : json
}

function problem(number: ExactNumber, { holder, place }: Where, reason: string): Error {
  const at =
    place === null
      ? ''
      : typeof place === 'number'
        ? `list item #${place + 1}: `
        : `map value of ${JSON.stringify(place)}: `
  return new Error(decodingError(holder, `${at}${writeJson(number)}: ${reason}`))
}

function mapObject(
  json: { readonly [name: string]: ExactJson },
  map: (member: ExactJson, name: string) => JsonValue,
): { [name: string]: JsonValue } {
  return Object.fromEntries(Object.entries(json).map(([name, member]) => [name, map(member, name)]))
}

export function isArray(json: ExactJson): json is readonly ExactJson[] {
  return Array.isArray(json)
}

export function isObject(json: ExactJson): json is { readonly [name: string]: ExactJson } {
  return typeof json === 'object' && json !== null && !isArray(json) && !(json instanceof ExactNumber)
}
