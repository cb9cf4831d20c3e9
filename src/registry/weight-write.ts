import type { Endpoint, Revision } from '../domain/endpoint.js'
import type { Reader } from '../domain/layouts/reader.js'
import { isRelative, type WeightChange } from '../domain/weight.js'
import type { EtcdClient } from '../etcd/client.js'
import { MAX_VALUE_BYTES, type Write, writeIfUnchanged } from '../etcd/guarded-write.js'
import type { KeyValue } from '../etcd/pairs.js'
import { readKeys } from '../etcd/range.js'
import { decodeEndpoints } from './decode.js'
import type { FindWeightedKey } from './weight-guard.js'
import { type Plan, planned } from './weight-plan.js'
import type { UnknownChange } from './weight-unknown.js'

/** A key that now has the requested weight. */
export interface KeyChange {
  readonly key: string
  readonly revision: Revision
  readonly before: readonly Endpoint[]
  readonly after: readonly Endpoint[]
  /** False if the key already had that weight. */
  readonly written: boolean
}

type PlannedWrite = Plan & { readonly kv: KeyValue; readonly written: boolean }

/** The outcome of one transaction, which covers the first of the keys. */
export interface PartResult {
  /** The number of keys that it covers, at least one; the rest did not fit. */
  readonly keys: number
  /** The changes; keys that were removed or are no longer selected are left out. */
  readonly changes: readonly KeyChange[]
}

/** A relative change that was sent, and may or may not have been applied to these keys. */
export interface UnknownPart {
  readonly unknown: readonly UnknownChange[]
}

/** Checks before a write. */
interface Checks {
  /** Whether the current value is still selected; called again for each attempt. */
  isTarget(kv: KeyValue): boolean
  readonly weightedKey: FindWeightedKey | null
}

/**
 * Reads keys, changes their weights, and writes them under their own leases in one transaction; repeats this if
 * another client wrote one of them in between. If the values are too large for one transaction, only the first
 * keys are changed.
 *
 * @throws DiscoError CONFLICT, OUTCOME_UNKNOWN
 */
export async function changeKeys(
  client: EtcdClient,
  reader: Reader,
  keys: readonly string[],
  change: WeightChange,
  { isTarget, weightedKey }: Checks,
): Promise<PartResult | UnknownPart> {
  for (let attempt = 0; ; attempt++) {
    const { kvs, revision: at } = await readKeys(client, keys)
    const all = kvs.map((kv): PlannedWrite | null => {
      if (kv === null || !isTarget(kv)) return null
      const plan = planned(reader, kv, change)
      return { ...plan, kv, written: Buffer.compare(plan.value, kv.value) !== 0 }
    })
    const fitting = all.slice(0, fittingCount(all))
    const plans = fitting.filter((plan) => plan !== null)
    const covering = (changes: readonly KeyChange[]) => ({ keys: fitting.length, changes })
    const writes = plans.flatMap(({ kv: { key, modRevision }, value, written }): Write[] =>
      written ? [{ seen: { key, revision: modRevision, at }, value }] : [],
    )
    const [first, ...rest] = writes
    if (!first) return covering(plans.map((plan) => changed(reader, plan, plan.kv.modRevision)))
    const writing = new Set(writes.map(({ seen }) => seen.key))
    const stays =
      weightedKey && drainsAll(plans) ? await weightedKey({ isRetry: attempt > 0, writing }) : null
    const outcome = await writeIfUnchanged(client, [first, ...rest], stays)
    if (!outcome.done) continue
    if (outcome.proof === 'read back' && isRelative(change)) {
      const written = plans.filter((plan) => plan.written)
      return { unknown: written.map((plan, index) => unknownOf(reader, plan, outcome.current[index])) }
    }
    const revisionOf = ({ written, kv }: PlannedWrite) => (written ? outcome.revision : kv.modRevision)
    return covering(plans.map((plan) => changed(reader, plan, revisionOf(plan))))
  }
}

/** The number of plans, at least one, that fit in one transaction by the size of their values. */
function fittingCount(plans: readonly (PlannedWrite | null)[]): number {
  let bytes = 0
  const first = plans.findIndex((plan, index) => {
    bytes += plan?.written ? plan.value.length : 0
    return index > 0 && bytes > MAX_VALUE_BYTES
  })
  return first < 0 ? plans.length : first
}

/** Whether a weight becomes 0, and none of these keys keeps a weight above 0. */
function drainsAll(plans: readonly Plan[]): boolean {
  return plans.some(({ from, to }) => to === 0 && from !== 0) && plans.every(({ to }) => to === 0)
}

function changed(reader: Reader, { kv, value, written }: PlannedWrite, revision: Revision): KeyChange {
  const after = decodeEndpoints(reader, { ...kv, value: Buffer.from(value), modRevision: revision })
  return { key: kv.key, revision, before: decodeEndpoints(reader, kv), after, written }
}

function unknownOf(
  reader: Reader,
  { kv, to }: PlannedWrite,
  current: KeyValue | null | undefined,
): UnknownChange {
  return { before: decodeEndpoints(reader, kv), to, now: current ? decodeEndpoints(reader, current) : [] }
}
