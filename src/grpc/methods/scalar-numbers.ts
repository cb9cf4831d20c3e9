import { ScalarType } from '@bufbuild/protobuf'
import { type ExactJson, ExactNumber, writeJson } from '../../domain/exact-json.js'
import { decodingError } from './from-json-texts.js'

/** The location of a value in JSON, for error texts. */
export interface ValueLocation {
  /** The field or message, as the error texts of `fromJson` name it. */
  readonly holder: string
  /** The index in a list, or the key in a map; null for the value of a singular field. */
  readonly position: number | string | null
}

/** The type of a value that is not a message. */
export interface ScalarKind {
  readonly scalar: ScalarType | undefined
  readonly isEnum: boolean
}

/**
 * Converts an ExactNumber to the form that `fromJson` accepts for its type: an integer becomes a string, which
 * ProtoJSON allows, and a floating-point value or an enum value becomes a number. Any other JSON stays unchanged, and
 * is checked by `fromJson`.
 *
 * @throws Error for a number that the type cannot hold; the message contains the number as it was written
 */
export function readNumber(
  json: ExactJson,
  { scalar, isEnum }: ScalarKind,
  location: ValueLocation,
): ExactJson {
  const range = isEnum ? RANGES[ScalarType.INT32] : scalar && RANGES[scalar]
  const number = range && typeof json === 'number' ? exactIfInvalid(json, range) : json
  if (!(number instanceof ExactNumber)) return number
  if (range) return integer(number, range, isEnum, location)
  if (scalar === ScalarType.DOUBLE) return double(number, location)
  if (scalar === ScalarType.FLOAT) return float(number, location)
  throw invalidNumber(number, location, `a number is not a ${ScalarType[scalar ?? 0]?.toLowerCase()}`)
}

/** Converts a number that is not an integer within the range to an ExactNumber, which `integer` then checks. */
function exactIfInvalid(json: number, [least, most]: Range): number | ExactNumber {
  const isInRange = Number.isSafeInteger(json) && json >= Number(least) && json <= Number(most)
  return isInRange ? json : new ExactNumber(String(json))
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

function integer(
  number: ExactNumber,
  [least, most]: Range,
  isEnum: boolean,
  location: ValueLocation,
): string | number {
  const value = integerIn(number.text)
  if (value === null) throw invalidNumber(number, location, 'not an integer')
  if (value < least || value > most)
    throw invalidNumber(number, location, `out of range, from ${least} to ${most}`)
  // `fromJson` would read a string as the name of an enum value.
  return isEnum ? Number(value) : String(value)
}

/**
 * Maximum number of zeros that an exponent adds: a large exponent would make a huge string. With this number of zeros,
 * a value is already out of range for every integer type.
 */
const MAX_ZEROS = 40

/** Parses an integer, such as `1`, `1.0` or `1e3`. @returns null for a number with a fraction */
function integerIn(text: string): bigint | null {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const zeros = Number(exponent) - fraction.length
  if (digits === '') return 0n
  if (zeros >= 0) return BigInt(`${sign}${digits}${'0'.repeat(Math.min(zeros, MAX_ZEROS))}`)
  const cut = Math.max(0, digits.length + zeros)
  return /^0*$/.test(digits.slice(cut)) ? BigInt(`${sign}${digits.slice(0, cut) || '0'}`) : null
}

/** Rounds to the nearest double, as protoc does. @throws Error for a number that is out of range */
export function double(number: ExactNumber, location: ValueLocation): number {
  const value = Number(number.text)
  if (Number.isFinite(value)) return value
  throw invalidNumber(number, location, 'out of range of a double')
}

function float(number: ExactNumber, location: ValueLocation): number {
  const value = Number(number.text)
  if (Number.isFinite(Math.fround(value))) return value
  throw invalidNumber(number, location, 'out of range of a float')
}

export function invalidNumber(
  number: ExactNumber,
  { holder, position }: ValueLocation,
  reason: string,
): Error {
  const at =
    position === null
      ? ''
      : typeof position === 'number'
        ? `list item #${position + 1}: `
        : `map value of ${JSON.stringify(position)}: `
  return new Error(decodingError(holder, `${at}${writeJson(number)}: ${reason}`))
}
