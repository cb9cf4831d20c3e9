import { ScalarType } from '@bufbuild/protobuf'
import { type ExactJson, ExactNumber, writeJson } from '../../domain/exact-json.js'
import { decodingError } from './from-json-texts.js'

/** A value's place, for messages. */
export interface Where {
  /** The field or message, as `fromJson` names it. */
  readonly holder: string
  /** The index in a list, the key in a map, or null. */
  readonly position: number | string | null
}

/** The type of a value that is not a message. */
export interface ScalarKind {
  readonly scalar: ScalarType | undefined
  readonly isEnum: boolean
}

/**
 * The form of a number that `fromJson` accepts for its type: a 64-bit integer as a string, which ProtoJSON allows. Any
 * other JSON stays unchanged: `fromJson` checks it.
 *
 * @throws Error for a number that the type cannot hold, with its spelling
 */
export function readNumber(json: ExactJson, { scalar, isEnum }: ScalarKind, where: Where): ExactJson {
  const range = isEnum ? RANGES[ScalarType.INT32] : scalar && RANGES[scalar]
  const number = range && typeof json === 'number' ? doubtful(json, range) : json
  if (!(number instanceof ExactNumber)) return number
  if (range) return integer(number, range, isEnum, where)
  if (scalar === ScalarType.DOUBLE) return double(number, where)
  if (scalar === ScalarType.FLOAT) return float(number, where)
  throw invalidNumber(number, where, `a number is not a ${ScalarType[scalar ?? 0]?.toLowerCase()}`)
}

/** An ExactNumber for a number that is not an integer within the range, so that it is refused with its spelling. */
function doubtful(json: number, [least, most]: Range): number | ExactNumber {
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

function integer(number: ExactNumber, [least, most]: Range, isEnum: boolean, where: Where): string | number {
  const value = integerIn(number.text)
  if (value === null) throw invalidNumber(number, where, 'not an integer')
  if (value < least || value > most)
    throw invalidNumber(number, where, `out of range, from ${least} to ${most}`)
  // As a string, an enum value would be a name.
  return isEnum ? Number(value) : String(value)
}

/** Limit of zeros from an exponent: no field can hold more digits, and a large exponent would make a huge string. */
const MAX_DIGITS = 40

/** @returns null for a number with a fraction; numbers such as `1.0` and `1e3` are integers */
function integerIn(text: string): bigint | null {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const zeros = Number(exponent) - fraction.length
  if (digits === '') return 0n
  if (zeros >= 0) return BigInt(`${sign}${digits}${'0'.repeat(Math.min(zeros, MAX_DIGITS))}`)
  const cut = Math.max(0, digits.length + zeros)
  return /^0*$/.test(digits.slice(cut)) ? BigInt(`${sign}${digits.slice(0, cut) || '0'}`) : null
}

/** Rounds to the nearest double, as protoc does. */
export function double(number: ExactNumber, where: Where): number {
  const value = Number(number.text)
  if (Number.isFinite(value)) return value
  throw invalidNumber(number, where, 'out of range of a double')
}

function float(number: ExactNumber, where: Where): number {
  const value = Number(number.text)
  if (Number.isFinite(Math.fround(value))) return value
  throw invalidNumber(number, where, 'out of range of a float')
}

export function invalidNumber(number: ExactNumber, { holder, position }: Where, reason: string): Error {
  const at =
    position === null
      ? ''
      : typeof position === 'number'
        ? `list item #${position + 1}: `
        : `map value of ${JSON.stringify(position)}: `
  return new Error(decodingError(holder, `${at}${writeJson(number)}: ${reason}`))
}
