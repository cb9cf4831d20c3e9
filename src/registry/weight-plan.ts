import type { Layout, Unusable } from '../domain/layouts/index.js'
import type { Reader } from '../domain/layouts/reader.js'
import { changeWeight, type WeightChange } from '../domain/weight.js'
import type { KeyValue } from '../etcd/pairs.js'
import { cannotCarry } from './weight-targets.js'

/** The result of a change of one value. */
export interface Plan {
  /** The new value; the current one if nothing changes. */
  readonly value: Uint8Array
  /** Null if the current value cannot be read. */
  readonly from: number | null
  readonly to: number
}

/**
 * The value with the new weight. If the current weight is invalid, it can only be set; other changes need a valid one.
 *
 * @throws DiscoError CONFLICT
 */
export function planned(reader: Reader, { key, value }: KeyValue, change: WeightChange): Plan {
  const found = reader.read(key, value)
  const decoded = found?.decoded
  if (!found || !decoded || decoded.kind === 'not-an-endpoint') {
    throw cannotCarry(key, 'it is not a registration')
  }
  if (decoded.kind === 'unusable') return fixedWeight(reader, { key, value }, found.layout, decoded, change)
  const from = decoded.records[0].weight
  const to = changeWeight(from, change)
  const isNoChange = to === from && change.kind !== 'set'
  return { value: isNoChange ? value : found.layout.withWeight(value, to), from, to }
}

function fixedWeight(
  reader: Reader,
  { key, value }: Pick<KeyValue, 'key' | 'value'>,
  layout: Layout,
  { problem: { text: problem } }: Unusable,
  change: WeightChange,
): Plan {
  if (change.kind !== 'set' || layout.weightless !== null) throw cannotCarry(key, problem)
  let changed: Uint8Array
  try {
    changed = layout.withWeight(value, change.weight)
  } catch (cause) {
    // The value is not JSON, so that it cannot have a member.
    throw cannotCarry(key, problem, cause)
  }
  const again = reader.read(key, changed)
  if (again?.decoded.kind !== 'endpoints') throw cannotCarry(key, problem)
  return { value: changed, from: null, to: change.weight }
}
