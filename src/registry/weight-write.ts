import type { Endpoint, Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { Reader } from '../domain/layouts/reader.js'
import type { WeightChange } from '../domain/weight.js'
import type { EtcdClient } from '../etcd/client.js'
import { type Write, writeIfUnchanged } from '../etcd/guarded-write.js'
import { type KeyValue, readKeys } from '../etcd/range.js'
import type { Proof } from '../etcd/write-outcome.js'
import { decodeEndpoints } from './decode.js'
import type { Witness } from './weight-guard.js'
import { type Plan, planned } from './weight-plan.js'

/** A key whose weight is now as asked for. */
export interface KeyChange {
  readonly key: string
  readonly revision: Revision
  readonly before: readonly Endpoint[]
  readonly after: readonly Endpoint[]
  /** False where that weight stood there already. */
  readonly written: boolean
}

type Planned = Plan & { readonly kv: KeyValue; readonly written: boolean }

/**
 * Reads keys, changes their weights, and writes them under their own leases, all at once; again whenever somebody else
 * wrote one of them in between. Keys that are gone are left out.
 *
 * @throws DiscoError CONFLICT, OUTCOME_UNKNOWN
 */
export async function changeKeys(
  client: EtcdClient,
  reader: Reader,
  keys: readonly string[],
  change: WeightChange,
  witness: Witness | null,
): Promise<KeyChange[]> {
  for (let attempt = 0; ; attempt++) {
    const { kvs, revision: at } = await readKeys(client, keys)
    const plans = kvs.flatMap((kv): Planned[] => {
      if (kv === null) return []
      const plan = planned(reader, kv, change)
      return [{ ...plan, kv, written: Buffer.compare(plan.value, kv.value) !== 0 }]
    })
    const writes = plans.flatMap(({ kv: { key, modRevision }, value, written }): Write[] =>
      written ? [{ seen: { key, revision: modRevision, at }, value }] : [],
    )
    const [first, ...rest] = writes
    if (!first) return plans.map((plan) => changed(reader, plan, plan.kv.modRevision))
    const stays = witness && drainsAll(plans) ? await witness({ anew: attempt > 0 }) : null
    const outcome = await writeIfUnchanged(client, [first, ...rest], stays)
    if (!outcome.done) continue
    refuseDoubt(change, outcome.proof, attempt > 0)
    return plans.map((plan) => changed(reader, plan, plan.written ? outcome.revision : plan.kv.modRevision))
  }
}

/** Whether weights are taken away and none of these keys keeps one. */
function drainsAll(plans: readonly Plan[]): boolean {
  return plans.some(({ from, to }) => to === 0 && from !== 0) && plans.every(({ to }) => to === 0)
}

function changed(reader: Reader, { kv, value, written }: Planned, revision: Revision): KeyChange {
  const after = decodeEndpoints(reader, { ...kv, value: Buffer.from(value), modRevision: revision })
  return { key: kv.key, revision, before: decodeEndpoints(reader, kv), after, written }
}

/**
 * Two relative changes of the same size, from the same weight, write the same value. While others change the key as
 * well, what was read back may be theirs.
 *
 * @throws DiscoError OUTCOME_UNKNOWN
 */
function refuseDoubt({ kind }: WeightChange, proof: Proof, hasLostARace: boolean): void {
  if (kind !== 'add' && kind !== 'scale') return
  if (proof === 'answer' || (proof === 'read back' && !hasLostARace)) return
  const cause = new DiscoError('CONFLICT', 'Somebody else changes the weight at the same time')
  throw new DiscoError('OUTCOME_UNKNOWN', "The weight may have been changed: etcd's answer was lost", {
    cause,
  })
}
