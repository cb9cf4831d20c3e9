import type { RangeRule } from './sorted-keys.js'
import type { View } from './store.js'
import type { Version } from './version.js'
import type { Compare, CompareOperand } from './wire/requests.js'

/** Compare.CompareResult and CompareTarget (etcd API). */
const Result = { EQUAL: 0, GREATER: 1, LESS: 2, NOT_EQUAL: 3 } as const
const Target = { VERSION: 0, CREATE: 1, MOD: 2, VALUE: 3, LEASE: 4 } as const

const NO_BYTES = Buffer.alloc(0)

/** The fields by which a missing key is compared, except for its value. */
const ABSENT = { version: 0, createRevision: 0, modRevision: 0, lease: 0n, value: NO_BYTES }

/**
 * Whether every pair in the range satisfies the comparison. A range without pairs is compared as one pair of zeros. A
 * comparison of its value fails, even NOT_EQUAL.
 */
export function satisfied(view: View, compare: Compare, rule: RangeRule): boolean {
  const versions = view.range(rule(compare.key, compare.rangeEnd))
  if (versions.length === 0) return compare.target !== Target.VALUE && satisfies(compare, ABSENT)
  return versions.every((version) => satisfies(compare, version))
}

type Comparable = Pick<Version, 'version' | 'createRevision' | 'modRevision' | 'lease' | 'value'>

function satisfies({ result, target, operand }: Compare, pair: Comparable): boolean {
  const order = orderOf(target, pair, operand)
  if (result === Result.EQUAL) return order === 0
  if (result === Result.NOT_EQUAL) return order !== 0
  if (result === Result.GREATER) return order > 0
  return result !== Result.LESS || order < 0
}

/**
 * Negative, 0 or positive if the pair is below, equal to or above the operand. An operand of another field counts as
 * zero.
 */
function orderOf(target: number, pair: Comparable, operand: CompareOperand | undefined): number {
  const numberOf = (of: 'version' | 'createRevision' | 'modRevision') =>
    operand?.of === of ? operand.number : 0
  if (target === Target.VERSION) return pair.version - numberOf('version')
  if (target === Target.CREATE) return pair.createRevision - numberOf('createRevision')
  if (target === Target.MOD) return pair.modRevision - numberOf('modRevision')
  if (target === Target.VALUE) return pair.value.compare(operand?.of === 'value' ? operand.bytes : NO_BYTES)
  if (target !== Target.LEASE) return 0
  const lease = operand?.of === 'lease' ? operand.id : 0n
  return pair.lease < lease ? -1 : pair.lease > lease ? 1 : 0
}
